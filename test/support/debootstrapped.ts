import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import type { OmitRule } from '../../src/definition/definition.ts'
import { excludedPackage } from '../../src/image/excluded-package.ts'
import type { LockedPlatform } from '../../src/lock/lockfile.ts'

export interface DebootstrapRequest {
  /** An empty folder. */
  readonly scratch: string
  /** Folder of .deb files, named by SHA-256. */
  readonly debs: string
  readonly locked: LockedPlatform
  readonly omit: readonly OmitRule[]
  /** User name → id, for users that a script lets useradd pick. */
  readonly userIds: ReadonlyMap<string, number>
}

/** The locked packages, installed the real way. Needs root. Returns the tree's folder. */
export async function debootstrap(request: DebootstrapRequest): Promise<string> {
  const { command, tree } = await prepareDebootstrap(request)
  await execa(command[0]!, command.slice(1))
  return tree
}

/**
 * Prepares mmdebstrap from a flat repository of exactly the locked files, with the same omit rules, and a package that
 * stands for what the definition excludes.
 */
export async function prepareDebootstrap(
  request: DebootstrapRequest,
): Promise<{ readonly command: readonly string[]; readonly tree: string }> {
  const { scratch, locked } = request
  const repository = path.join(scratch, 'repository')
  const tree = path.join(scratch, 'tree')
  await writeRepository(request, repository)
  const useradd = path.join(scratch, 'useradd')
  await writeFile(useradd, useraddScript(request.userIds))
  await chmod(useradd, 0o755)
  const names = locked.packages.map(({ name, version }) => `${name}=${version}`)
  const command = [
    'mmdebstrap',
    '--mode=root',
    '--variant=custom',
    '--format=directory',
    '--aptopt=APT::Sandbox::User "root"',
    '--aptopt=APT::Install-Recommends "false"',
    `--include=${[...names, 'slipway-excluded'].join(',')}`,
    ...omitOptions(request.omit, locked).map((option) => `--dpkgopt=${option}`),
    `--extract-hook=cp '${useradd}' "$1/usr/sbin/useradd"`,
    '--customize-hook=rm "$1/usr/sbin/useradd"',
    'trixie',
    tree,
    `deb [trusted=yes] copy://${repository} ./`,
  ]
  return { command, tree }
}

/**
 * dpkg's `*` also stands for `/`, and it keeps every folder that an include with `*` might reach into; so each
 * exception is spelled out for each package.
 */
function omitOptions(rules: readonly OmitRule[], locked: LockedPlatform): string[] {
  const excludes = rules.map((rule) => `path-exclude=${rule.path.replaceAll('**', '*')}`)
  const includes = rules
    .flatMap((rule) => rule.except)
    .flatMap((glob) =>
      glob.includes('*') ? locked.packages.map(({ name }) => glob.replaceAll('*', name)) : [glob],
    )
  return [...excludes, ...includes.map((kept) => `path-include=${kept}`)]
}

async function writeRepository({ debs, locked, scratch }: DebootstrapRequest, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const { name, sha256 } of locked.packages) {
    await copyFile(path.join(debs, `${sha256}.deb`), path.join(folder, `${name}.deb`))
  }
  await buildExcluded(locked, scratch, path.join(folder, 'slipway-excluded.deb'))
  const stanzas: string[] = []
  for (const name of [...locked.packages.map((entry) => entry.name), 'slipway-excluded']) {
    const file = path.join(folder, `${name}.deb`)
    const { stdout } = await execa('dpkg-deb', ['--field', file])
    const content = await readFile(file)
    const sha256 = createHash('sha256').update(content).digest('hex')
    stanzas.push(`${stdout}\nFilename: ./${name}.deb\nSize: ${content.length}\nSHA256: ${sha256}\n`)
  }
  await writeFile(path.join(folder, 'Packages'), stanzas.join('\n'))
}

async function buildExcluded(locked: LockedPlatform, scratch: string, file: string): Promise<void> {
  const source = path.join(scratch, 'slipway-excluded')
  await mkdir(path.join(source, 'DEBIAN'), { recursive: true })
  for (const [name, content] of excludedPackage(locked.excluded).control) {
    await writeFile(path.join(source, 'DEBIAN', name), content)
  }
  await execa('dpkg-deb', ['--root-owner-group', '--build', source, file])
}

/** Stands for useradd, which the appliance does without: it does what it is asked, with the id that was chosen. */
function useraddScript(userIds: ReadonlyMap<string, number>): string {
  const cases = [...userIds].map(([name, uid]) => `  ${name}) uid=${uid} ;;`).join('\n')
  return `#!/bin/sh
set -eu
while [ $# -gt 0 ]; do
  case "$1" in
    --gid) gid=$(sed -n "s/^$2:[^:]*:\\([0-9]*\\):.*/\\1/p" /etc/group); shift ;;
    --comment) comment=$2; shift ;;
    --home-dir) home=$2; shift ;;
    --shell) shell=$2; shift ;;
    --system | --no-create-home) ;;
    *) name=$1 ;;
  esac
  shift
done
case "$name" in
${cases}
esac
echo "$name:*:$uid:$gid:$comment:$home:$shell" >>/etc/passwd
`
}
