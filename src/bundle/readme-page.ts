import type { BundleFacts } from './pack-bundle.ts'

/**
 * The page that lies beside a bundle and in it, for whoever got it on a medium: it names the profiles where the first
 * install must choose one. Pure.
 */
export function readmePage(
  { product, platform, bundle, base }: BundleFacts,
  profiles: readonly string[],
): string {
  const { command } = product
  const choose = profiles.length > 1
  const option = choose ? ' --profile NAME' : ''
  return [
    `# ${product.product} ${product.version}`,
    '',
    `From ${product.vendor}, for hosts with a Docker Engine (${platform}). Nothing else is needed: no internet, no registry.`,
    ...(base
      ? ['', `This is an update: it holds only what changed since ${base.version}, which must be installed.`]
      : []),
    '',
    '## Install, or update',
    '',
    'On Linux, in this folder:',
    '',
    `    sh install.sh${option}`,
    '',
    'On Windows with Docker Desktop (Linux containers), in PowerShell, in this folder:',
    '',
    `    powershell -ExecutionPolicy Bypass -File install.ps1${option}`,
    '',
    ...(choose
      ? [
          `NAME is the kind of site, one of: ${profiles.join(', ')}. To update, leave \`--profile NAME\` out.`,
          '',
        ]
      : []),
    'Run again, it changes nothing. If it was interrupted, run it again: it goes on.',
    '',
    '## Afterwards',
    '',
    `    ${command} status             how it fares`,
    `    ${command} reset clean        puts it back to how it was delivered, data kept`,
    `    ${command} support-bundle     collects what support asks for`,
    `    ${command} uninstall          takes it away`,
    '',
    '## Is it genuine?',
    '',
    `\`${bundle}\` holds \`bundle.json\`, which names every other file in it by its SHA-256, and that file's signature.`,
    'The installer checks all of it before anything is loaded. Compare `install.sh` with the one that you got from',
    `${product.vendor}; \`SHA256SUMS\` lists what lies here.`,
    '',
    `Help: ${product.support}`,
    '',
  ].join('\n')
}
