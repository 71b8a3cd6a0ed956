import { Command, CommanderError, Option } from 'commander'
import { commandName, isBranded } from '../lib/command-name.ts'
import { exitCodes } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { packageVersion } from './package-version.ts'

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
    .configureOutput({ outputError: (text, write) => write(usageError(text)) })

  const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value]

  program
    .command('init <dir>')
    .description('make a product directory that builds as it is, and holds only what differs from another')
    .option('--extends <product>', 'what it extends: a product directory (default: slipway-reference)')
    .option('--vendor <name>', 'your company')
    .option('--product <name>', "the product's name")
    .option('--command <name>', "the command that customers type (default: the folder's name)")
    .option('--support <where>', 'where customers ask for help: an address, a number, a URL')
    .option('--dry-run', 'list the files, write nothing')
    .option('--json', 'print the files as JSON')
    .action(run(() => import('./init.ts')))

  program
    .command('validate')
    .description('read every file of the product directory and say what is wrong with it')
    .option('--json', 'print the mistakes as JSON')
    .action(run(() => import('./validate.ts')))

  program
    .command('explain [path]')
    .description(`which file and line set a value, and over what: ${commandName()} explain brand.vendor`)
    .option('--json', 'print it as JSON')
    .action(run(() => import('./explain.ts')))

  program
    .command('lock')
    .description('choose every package and write appliance.lock')
    .option('--update [packages...]', 'move these packages (all of them when none is named) to the newest')
    .option('--arch-skew', 'accept that the archive has other versions for other platforms')
    .option('--dry-run', 'show what would change, write nothing')
    .option('--json', 'print the changes as JSON')
    .action(run(() => import('./lock.ts')))

  program
    .command('outdated')
    .description('what the archive and its security suite have newer than the lock')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./outdated.ts')))

  program
    .command('why <package>')
    .description('why a package is in the image, or left out: who asks for it, and the way down')
    .option('--platform <platform>', 'instead of the first that is locked')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./why.ts')))

  program
    .command('vendor [dir]')
    .description('keep every locked .deb in a folder (default: vendor/ in the product directory)')
    .option('--platform <platform>', 'only the packages of this platform; may be repeated', collect)
    .option('--prune', 'remove other .debs from the folder too')
    .option('--dry-run', 'show what would change, write nothing')
    .option('--json', 'print the changes as JSON')
    .action(run(() => import('./vendor.ts')))

  program
    .command('build')
    .description('build the image from the lock, as an OCI image layout')
    .option('--platform <platform...>', 'only these platforms (linux/amd64, linux/arm64)')
    .option('--out <dir>', 'where the layout goes (default: build/ in the product directory)')
    .option('--vendor <dir>', 'look for .debs here first (default: vendor/ in the product directory)')
    .option('--load', 'load the image of this machine into the Engine: only the layers that it lacks')
    .option('--json', 'print digests and sizes as JSON')
    .action(run(() => import('./build.ts')))

  program
    .command('bundle')
    .description('pack the images and all that a host needs into one signed file per platform')
    .option('--platform <platform...>', 'only these platforms (linux/amd64, linux/arm64)')
    .option('--key <file>', 'sign it with this private key (PEM); without, nobody can tell who made it')
    .option('--passphrase-file <file>', "the key's passphrase is the first line of a file")
    .option('--out <dir>', 'where each bundle gets its folder (default: bundle/ in the product directory)')
    .option('--vendor <dir>', 'look for .debs here first (default: vendor/ in the product directory)')
    .option('--since <bundle>', 'an update: only what an older bundle does not hold')
    .option('--split <size>', 'in parts of this size, such as 700m')
    .option('--dry-run', 'show what would be packed, write nothing')
    .option('--json', 'print a JSON document per bundle')
    .action(run(() => import('./bundle.ts')))

  program
    .command('verify <bundle>')
    .description('check a bundle: who signed it, every byte, its images, and that its lock is theirs')
    .option(
      '--key <file>',
      "the vendor's public key (default: SLIPWAY_KEY, else keys of the product directory)",
    )
    .option('--allow-unsigned', 'take a bundle that nobody signed; a wrong signature is refused all the same')
    .option('--json', 'print what is inside as JSON')
    .action(run(() => import('./verify.ts')))

  program
    .command('test [layout]')
    .description("run the definition's checks on a built layout, without Docker")
    .option(
      '--platform <platform>',
      'only this platform; may be repeated (default: all that the layout has)',
      collect,
    )
    .option('--json', 'print the results as JSON')
    .action(run(() => import('./test.ts')))

  program
    .command('rebrand <image>')
    .description('put another brand on a built image: one small layer is new, every other stays as it is')
    .requiredOption(
      '--brand <file>',
      "what brand holds in appliance.yaml, as a file; or another product's appliance.yaml",
    )
    .option('--name <name>', "the image's name too (default: that of the file, else as it was)")
    .option('--out <dir>', 'write the image there, as an OCI image layout')
    .option('--load', 'load the image of this machine into the Engine')
    .option('--dry-run', 'show what would come of it, write nothing')
    .option('--json', 'print digests and sizes as JSON')
    .action(run(() => import('./rebrand.ts')))

  program
    .command('diff [a] [b]')
    .description(
      'what differs between two builds or two locks; without them, what changed beneath this product since its lock',
    )
    .option('--parent', 'what changed in the product that this one extends (also without arguments)')
    .option('--platform <platform>', "instead of this machine's")
    .option('--json', 'print the differences as JSON')
    .action(run(() => import('./diff.ts')))

  program
    .command('sbom')
    .description('print the bill of materials (SPDX JSON)')
    .option('--platform <platform>', "instead of this machine's")
    .option('--json', 'it is JSON in any case')
    .action(run(() => import('./sbom.ts')))

  program
    .command('push <reference> [layout]')
    .description(
      'bring a built layout (default: build/ in the product directory) to a registry: only what it lacks',
    )
    .option('--key <file>', 'sign with this private key, as cosign does')
    .option('--passphrase-file <file>', 'its passphrase: the first line of a file')
    .option('--insecure', 'speak plain http to a registry that is not on this machine')
    .option('--dry-run', 'ask what the registry lacks, send nothing')
    .option('--json', 'print what was sent as JSON')
    .action(run(() => import('./push.ts')))

  const installOptions = (command: Command): Command =>
    command
      .option('--profile <name>', 'how much, and for whom: a file of profiles/ (default: the installed one)')
      .option('--name <name>', "the appliance's name on the host (default: the product's)")
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

  installOptions(program.command('preflight [layout]'))
    .description('whether the appliance can be installed on this host, and what to mend where not')
    .option('--json', 'print the findings as JSON')
    .action(run(() => import('./preflight.ts')))

  installOptions(program.command('plan [layout]'))
    .description('what install would change on the host, as a diff')
    .option('--json', 'print the steps as JSON')
    .action(run(() => import('./plan.ts')))

  installOptions(program.command('install [layout]'))
    .description(
      'bring the host to what the product says; a layout (default: build/ in the product directory) or REGISTRY/REPOSITORY@sha256:…',
    )
    .option('--licence <file>', "put the customer's licence in place; renews one that is there")
    .option('--dry-run', 'show the plan, change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what was done as JSON')
    .action(run(() => import('./install.ts')))

  program
    .command('status')
    .description(
      'how each service fares: health, ends, memory, cache, drift; exit code 1 when one is not well',
    )
    .option('--name <name>', 'which appliance (default: all on the host)')
    .option('--watch', 'redraw it every two seconds')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./status.ts')))

  program
    .command('pac [file]')
    .description('print or write a PAC file: browsers go through the appliance, and directly when it is away')
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--address <address>', 'by which clients reach this host (default: its first)')
    .option('--dry-run', 'print it, write nothing')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./pac.ts')))

  program
    .command('logs [service]')
    .description('what the services wrote, in the order of time; of one service, or of all')
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('-f, --follow', 'wait for more, until Ctrl-C')
    .option('--since <time>', 'not older than: 10m, 2h, 1d, or 2026-01-31T12:00:00Z')
    .option('--tail <lines>', 'the last so many of each service, or "all" (default: 100; with --since all)')
    .option('--timestamps', 'show when each line was written')
    .option('--json', 'print a JSON document a line')
    .action(run(() => import('./logs.ts')))

  program
    .command('memory <service> <size>')
    .description(
      `give a running service another memory limit, live and for good: ${commandName()} memory optimiser 1g`,
    )
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--force', 'also below what it uses now, or above what the host has')
    .option('--dry-run', 'show what would change, change nothing')
    .option('--json', 'print what was done as JSON')
    .action(run(() => import('./memory.ts')))

  program
    .command('restore-file <path>')
    .description('put one file of a service back as the image has it, and keep what was there')
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--service <service>', 'only in this one (default: wherever it differs)')
    .option('--undo', 'change places with what was kept')
    .option('--dry-run', 'show the plan, change nothing')
    .option('--json', 'print what was done as JSON')
    .action(run(() => import('./restore-file.ts')))

  program
    .command('reset <level>')
    .description(
      'put services back: restart, clean (files changed in them), cache, settings, or factory, each with what the former do',
    )
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--service <service>', 'only this one')
    .option('--licence', 'factory: the licence goes too')
    .option('--dry-run', 'show what would go and what would stay, change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what was done as JSON')
    .action(run(() => import('./reset.ts')))

  program
    .command('drift')
    .description('every path that is other than in the image; exit code 1 when one should not be')
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--service <service>', 'only this one')
    .option('--diff', 'show what changed in text files')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./drift.ts')))

  program
    .command('backup <file>')
    .description('write settings, licence and changed files of an appliance to one file')
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--cache', 'take the caches along too')
    .option('--dry-run', 'show what would be written, write nothing')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./backup.ts')))

  installOptions(program.command('restore <file> [layout]'))
    .description('bring the host to what a backup says; a damaged or newer file is refused untouched')
    .option('--dry-run', 'check the file and show the plan, change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what was done as JSON')
    .action(run(() => import('./restore.ts')))

  program
    .command('support-bundle [file]')
    .description('collect evidence for support in one .tar.gz, without secrets; also when the Engine is down')
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--dry-run', 'say what would be collected and where it would go, write nothing')
    .option('--json', 'print what is inside as JSON')
    .action(run(() => import('./support-bundle.ts')))

  program
    .command('uninstall')
    .description("remove what carries the appliance's label, and nothing else")
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--keep-data', 'leave its volumes')
    .option('--dry-run', 'show the plan, change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print what was done as JSON')
    .action(run(() => import('./uninstall.ts')))

  program
    .command('key')
    .description('make a pair of keys that sign bundles, pushed images and licences')
    .option('--out <name>', 'where they go: <name>.key and <name>.pub', 'signing')
    .option('--type <type>', 'ed25519, or p256, which cosign knows', 'ed25519')
    .option('--passphrase-file <file>', 'encrypt the private key with the first line of a file')
    .option('--dry-run', 'say what would be written, write nothing')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./key.ts')))

  const licence = program
    .command('licence')
    .description("a customer's licence: issue one, or show what one grants and until when")

  licence
    .command('issue')
    .description("sign a licence for a customer with the vendor's key")
    .requiredOption('--key <file>', 'the private key (PEM) whose public one appliance.yaml names under keys')
    .option('--passphrase-file <file>', 'its passphrase: the first line of a file')
    .requiredOption('--customer <name>', 'whom it is for')
    .option(
      '--feature <name>',
      'what it grants; may be repeated (default: all that components ask for)',
      collect,
    )
    .option('--expires <day>', 'the last day on which it holds, such as 2027-12-31 (default: for ever)')
    .option('--trial <days>', 'so many days from the first install')
    .option('--id <id>', 'your own number for it (default: a random one)')
    .option('--out <file>', 'where it is written (default: licence-<customer>.json)')
    .option('--dry-run', 'show what it would say, write nothing')
    .option('--json', 'print what it says as JSON')
    .action(run(() => import('./licence-issue.ts')))

  licence
    .command('show [file]')
    .description('what a licence file grants and until when; without a file, the one on the host')
    .option('--name <name>', 'which appliance (default: the only one on the host)')
    .option('--json', 'print it as JSON')
    .action(run(() => import('./licence-show.ts')))

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
    .command('completion <shell>')
    .description('print what makes a shell complete commands and options: bash, zsh or fish')
    .action(async (shell: string) => {
      const { formatCompletion } = await import('./completion.ts')
      context.print(formatCompletion(shell, program))
    })

  return async (argv) => {
    try {
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
  const builders =
    /^(?:init|validate|explain|lock|outdated|why|vendor|build|bundle|test|rebrand|diff|sbom|push|key|demo)$/
  return command.commands.filter((one) => !builders.test(one.name()) || command.parent !== null)
}

/** What commander says of a mistake, as one sentence in the form of every other error. */
function usageError(text: string): string {
  const [mistake = '', suggestion = ''] = text
    .replace(/^error: /, '')
    .trim()
    .split('\n')
  const near = suggestion.replace(/^\(Did (you mean .*)\)$/, '; did $1')
  return `${commandName()}: ${mistake.replace(/\.$/, '')}${near || '.'} The commands and options: ${commandName()} --help\n`
}
