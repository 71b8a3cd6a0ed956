import { type Command, Option } from 'commander'
import { commandName } from '../lib/command-name.ts'
import { collect, type RunVerb } from './verb-options.ts'

/** What partners type: from a product directory to what is delivered. Names, options and help only. */
export function addBuilderVerbs(program: Command, run: RunVerb): void {
  program
    .command('init <dir>')
    .description('make a product directory that builds as it is, and holds only what differs from another')
    .option('--extends <product>', 'what it extends: a product directory (default: slipway-reference)')
    .option('--vendor <name>', 'your company')
    .option('--product <name>', "the product's name")
    .option('--command <name>', "the command that customers type (default: the folder's name)")
    .option('--support <where>', 'where customers ask for help: an address, a number, a URL')
    .addOption(
      new Option(
        '--schemas',
        'into a product directory that is there: only what editors check its files by',
      ).conflicts(['extends', 'vendor', 'product', 'command', 'support']),
    )
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
}
