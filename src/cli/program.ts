import { Command, CommanderError, Option } from 'commander'
import { commandName, isBranded } from '../lib/command-name.ts'
import { exitCodes } from '../lib/errors.ts'
import { addBuilderVerbs } from './builder-verbs.ts'
import type { Context } from './context.ts'
import { addHostVerbs } from './host-verbs.ts'
import { addKeyVerbs } from './key-verbs.ts'
import { packageVersion } from './package-version.ts'
import { oneOf, type RunVerb } from './verb-options.ts'

/**
 * The command line: names, options and help only. What a verb does is in the file of its name, imported when it is
 * called, so that `--help` stays quick.
 */
export function createProgram(context: Context): (argv: readonly string[]) => Promise<number> {
  let exitCode: number = exitCodes.done
  const run: RunVerb =
    (load) =>
    async (...parameters) => {
      const command = parameters.at(-1) as Command
      const verb = await load()
      exitCode = (await verb.run(context, command.optsWithGlobals() as never, command.args)) ?? exitCodes.done
    }

  const branded = isBranded(context.env)
  const program = new Command(commandName())
    .description(
      branded
        ? 'Installs the appliance, and keeps it running on any Docker host.'
        : 'Builds a layered Debian appliance image, and keeps it running on any Docker host.',
    )
    .version(packageVersion(), '-V, --version')
    .addOption(productOption(context))
    .option('--debug', 'show where an error came from')
    .configureHelp(branded ? { visibleCommands: forHosts } : {})
    .exitOverride()
    .showSuggestionAfterError()

  addBuilderVerbs(program, run)
  addHostVerbs(program, run)
  addKeyVerbs(program, run)

  program
    .command('demo')
    .description(
      'build the reference appliance, install it and prove it over a slow link: what npm start runs',
    )
    .option('--profile <name>', 'how much, and for whom (default: branch)')
    .option('--name <name>', "the appliance's name on the host (default: the product's)")
    .option('--json', 'print what was measured as JSON')
    .action(run(() => import('./demo.ts')))

  program
    .command('completion')
    .addArgument(oneOf('<shell>', 'bash', 'zsh', 'fish'))
    .description('print what makes a shell complete commands and options: bash, zsh or fish')
    .action(async (shell: string) => {
      const { formatCompletion } = await import('./completion.ts')
      context.print(formatCompletion(shell, program))
    })

  program
    .command('load-installer <bundle>', { hidden: true })
    .description("bring a bundle's installer image into the Engine: what install.sh asks of an older one")
    .action(run(() => import('./load-installer.ts')))

  for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])])
    command.configureOutput({ outputError: (text, write) => write(usageError(text, command)) })

  return async (argv) => {
    try {
      if (branded && /^(?:-V|--version)$/.test(argv[0] ?? '')) {
        // A customer's release is the product's, not that of the program in it.
        const { whereToAsk } = await import('./where-to-ask.ts')
        context.print((await whereToAsk(context)).trim() || packageVersion())
        return exitCodes.done
      }
      if (branded && (argv.length === 0 || argv.includes('--help') || argv.includes('-h'))) {
        const { whereToAsk } = await import('./where-to-ask.ts')
        program.addHelpText('after', await whereToAsk(context))
      }
      await program.parseAsync([...argv], { from: 'user' })
      return exitCode
    } catch (error) {
      if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.badInput
      throw error
    }
  }
}

/** Where a partner's program keeps its product is nobody's business: the help does not tell it. */
function productOption({ env }: Context): Option {
  const option = new Option('-C, --directory <dir>', 'product directory')
  return env.SLIPWAY_PRODUCT ? option.default(env.SLIPWAY_PRODUCT, 'its own') : option.default('.')
}

/** Under a partner's name the program is on a customer's host: what builds products is not offered, though it is there. */
function forHosts(command: Command): Command[] {
  const others =
    /^(?:load-installer|init|validate|explain|lock|outdated|why|vendor|build|bundle|test|rebrand|diff|sbom|push|key|demo)$/
  return command.commands.filter((one) => !others.test(one.name()) || command.parent !== null)
}

/** What commander says of a mistake, as one sentence in the form of every other error, with the help of the verb that it is in. */
function usageError(text: string, command: Command): string {
  const [mistake = '', suggestion = ''] = text
    .replace(/^error: /, '')
    .trim()
    .split('\n')
  const near = suggestion.replace(/^\(Did (you mean .*)\)$/, '; did $1')
  const verbs: string[] = []
  for (let one: Command | null = command; one?.parent; one = one.parent) verbs.unshift(one.name())
  const help = [commandName(), ...verbs, '--help'].join(' ')
  const what = command.commands.length > 0 ? 'The commands and options' : 'Its options'
  return `${commandName()}: ${mistake.replace(/\.$/, '')}${near || '.'} ${what}: ${help}\n`
}
