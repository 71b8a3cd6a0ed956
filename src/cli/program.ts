import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { exitCodes } from '../lib/errors.ts'
import type { Context } from './context.ts'

type Verb = (context: Context, options: never, args: string[]) => Promise<number | undefined>

/**
 * The command line: names, options and help only. What a verb does is in the file of its name, imported when it is
 * called, so that `--help` stays quick.
 */
export function createProgram(context: Context): (argv: readonly string[]) => Promise<number> {
  let exitCode: number = exitCodes.done
  const run =
    (load: () => Promise<{ run: Verb }>) =>
    async (...parameters: unknown[]): Promise<void> => {
      const command = parameters.at(-1) as Command
      const verb = await load()
      exitCode = (await verb.run(context, command.optsWithGlobals() as never, command.args)) ?? exitCodes.done
    }

  const program = new Command('slipway')
    .description('Builds a layered Debian appliance image, and keeps it running on any Docker host.')
    .version(packageVersion(), '-V, --version')
    .option('-C, --directory <dir>', 'product directory', '.')
    .option('--debug', 'show where an error came from')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('(slipway --help lists the commands)')

  program
    .command('lock')
    .description('choose every package and write appliance.lock')
    .option('--update [packages...]', 'move these packages (all of them when none is named) to the newest')
    .option('--dry-run', 'show what would change, write nothing')
    .option('--json', 'print the changes as JSON')
    .action(run(() => import('./lock.ts')))

  return async (argv) => {
    try {
      await program.parseAsync([...argv], { from: 'user' })
      return exitCode
    } catch (error) {
      if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.badInput
      throw error
    }
  }
}

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
