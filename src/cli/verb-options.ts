import { Argument, type Command } from 'commander'
import type { Context } from './context.ts'

/** What the file of a verb exports; it returns the exit code, or nothing for done. */
export type Verb = (context: Context, options: never, args: string[]) => Promise<number | undefined>

/** Makes the action of a command out of the import of its verb. */
export type RunVerb = (load: () => Promise<{ run: Verb }>) => (...parameters: unknown[]) => Promise<void>

/** Of an option that may be repeated. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value]
}

/** An argument that is one of a few words, for who completes it: a wrong one is refused by the verb, which knows the nearest. */
export function oneOf(name: string, ...choices: string[]): Argument {
  return Object.assign(new Argument(name), { argChoices: choices })
}

/** What every verb takes that plans an install: from where, how much, for whom, and what is trusted. */
export function installOptions(command: Command): Command {
  return command
    .option('--profile <name>', 'how much, and for whom: a file of profiles/ (default: the installed one)')
    .option('--name <name>', "the appliance's name on the host (default: the product's)")
    .option('--replace <product>', 'come in the place of that other product, with its data and settings')
    .option(
      '--set <key=value>',
      'a setting over the profile, such as dns.port=1053, remembered on the host; may be repeated',
      collect,
    )
    .option('--unset <key>', 'forget a remembered setting, such as dns.port; may be repeated', collect)
    .option('--bundle <file>', 'from this bundle, or any part of it, and by the product that is in it')
    .option(
      '--key <file>',
      "the vendor's public key: only what it signed is taken (default: SLIPWAY_KEY, else keys of the product)",
    )
    .option(
      '--allow-unsigned',
      'take a bundle or image that nobody signed; a wrong signature is refused all the same',
    )
    .option('--insecure', 'speak plain http to the registry')
}
