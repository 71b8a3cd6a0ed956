import type { Command } from 'commander'
import { collect, type RunVerb } from './verb-options.ts'

/** Keys that sign, and the licences that they sign. Names, options and help only. */
export function addKeyVerbs(program: Command, run: RunVerb): void {
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
}
