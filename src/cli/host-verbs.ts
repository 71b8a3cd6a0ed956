import type { Command } from 'commander'
import { commandName, isBranded } from '../lib/command-name.ts'
import { installOptions, oneOf, type RunVerb } from './verb-options.ts'

/** What resellers and support type on a host. Names, options and help only. */
export function addHostVerbs(program: Command, run: RunVerb): void {
  // Where the program goes by a partner's name nothing is built.
  const [source, sources] = isBranded()
    ? ['image', 'the image that is here, that of a --bundle, or REGISTRY/REPOSITORY@sha256:…']
    : ['layout', 'a layout (default: build/ in the product directory) or REGISTRY/REPOSITORY@sha256:…']

  const licence = [
    '--licence <file>',
    "put the customer's licence in place; renews one that is there",
  ] as const

  installOptions(program.command(`preflight [${source}]`))
    .description('whether the appliance can be installed on this host, and what to mend where not')
    .option(...licence)
    .option('--json', 'print the findings as JSON')
    .action(run(() => import('./preflight.ts')))

  installOptions(program.command(`plan [${source}]`))
    .description('what install would change on the host, as a diff')
    .option(...licence)
    .option('--json', 'print the steps as JSON')
    .action(run(() => import('./plan.ts')))

  installOptions(program.command(`install [${source}]`))
    .description(`bring the host to what the product says; ${sources}`)
    .option(...licence)
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
    .command('reset')
    .addArgument(oneOf('<level>', 'restart', 'clean', 'cache', 'settings', 'factory'))
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

  installOptions(program.command(`restore <file> [${source}]`))
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
}
