import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { findMirror } from '../../src/debian/mirrors.ts'
import { createPackageIndex, type PackageIndex } from '../../src/debian/package-index.ts'
import { parsePackages } from '../../src/debian/packages-index.ts'
import type { DebianSource } from '../../src/debian/source.ts'

/** apt over an empty root of its own, with lists of its own: the judge of the resolver. */
export interface PrivateApt {
  /** "name version" of everything that apt would install, sorted; apt's own complaint as an error. */
  simulate(names: readonly string[]): Promise<string[]>
  /** The very lists that apt read. */
  index(): Promise<PackageIndex>
  /** Unpacks a package into a folder that is there, without what it needs and without its scripts. */
  unpack(name: string, target: string): Promise<void>
  /** Unpacks packages with all that they need; no script runs. */
  unpackWhole(names: readonly string[], target: string): Promise<void>
}

/** Sets apt up in `folder` for one architecture, and fetches the lists from where this host's own apt does. */
export async function openPrivateApt(
  folder: string,
  architecture: string,
  source: DebianSource,
): Promise<PrivateApt> {
  const lists = path.join(folder, 'state', 'lists')
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'etc/apt.conf.d', 'etc/preferences.d'])
    await mkdir(path.join(folder, part), { recursive: true })
  await writeFile(path.join(folder, 'status'), '')
  await writeFile(path.join(folder, 'etc', 'sources.list'), await sourceLines(source))
  // What is only tried, such as sid, may come from a mirror that is behind.
  const checked = source.security ? '' : 'Acquire::Check-Valid-Until "false";'
  const configuration = path.join(folder, 'apt.conf')
  await writeFile(
    configuration,
    `Dir "${folder}/"; Dir::Etc "etc"; Dir::State "state"; Dir::State::status "${folder}/status"; Dir::Cache "cache";
APT::Architecture "${architecture}"; APT::Architectures { "${architecture}"; };
APT::Install-Recommends "false"; APT::Sandbox::User "root"; Acquire::Languages "none"; Acquire::GzipIndexes "false"; ${checked}
`,
  )
  const apt = (...parameters: string[]) =>
    execa('apt-get', parameters, {
      cwd: folder,
      env: { APT_CONFIG: configuration, LC_ALL: 'C' },
      all: true,
    })
  await apt('update', '--error-on=any')

  return {
    simulate: async (names) => {
      const { stdout } = await apt('--simulate', 'install', ...names)
      return [...stdout.matchAll(/^Inst (\S+) \((\S+)/gm)]
        .map(([, name, version]) => `${name} ${version}`)
        .sort()
    },
    index: async () => {
      const files = (await readdir(lists)).filter((name) => name.endsWith('_Packages'))
      const suites = await Promise.all(
        suitesOf(source).map(async ({ suite }) => {
          const file = files.find((name) => name.includes(`_dists_${suite}_`))
          if (file === undefined) throw new Error(`apt has no list of ${suite}`)
          return parsePackages(await readFile(path.join(lists, file)), suite)
        }),
      )
      return createPackageIndex(architecture, suites)
    },
    unpack: async (name, target) => {
      await apt('download', name)
      const file = (await readdir(folder)).find((one) => one.startsWith(`${name}_`) && one.endsWith('.deb'))
      await execa('dpkg-deb', ['-x', path.join(folder, file!), target])
    },
    unpackWhole: async (names, target) => {
      await apt('install', '--download-only', '--yes', ...names)
      const archives = path.join(folder, 'cache', 'archives')
      for (const file of await readdir(archives)) {
        if (!file.endsWith('.deb')) continue
        // Through the links of a merged /usr, as dpkg does; dpkg-deb -x would replace them.
        await execa('dpkg-deb', ['--fsys-tarfile', path.join(archives, file)], { buffer: false }).pipe(
          'tar',
          [...['-x', '--keep-directory-symlink', '-C', target]],
        )
      }
    },
  }
}

/** One-line apt sources of a definition's suites, at the mirrors that this host uses. */
export async function sourceLines(source: DebianSource): Promise<string> {
  const lines = await Promise.all(
    suitesOf(source).map(async ({ suite, kind }) => {
      const [url] = (await findMirror(kind, source)).urls
      return `deb [signed-by=${source.keyrings.join(',')}] ${url} ${suite} ${source.archiveComponents.join(' ')}\n`
    }),
  )
  return lines.join('')
}

function suitesOf({ suite, updates, security }: DebianSource): {
  suite: string
  kind: 'main' | 'security'
}[] {
  return [
    { suite, kind: 'main' },
    ...(updates ? [{ suite: `${suite}-updates`, kind: 'main' as const }] : []),
    ...(security ? [{ suite: `${suite}-security`, kind: 'security' as const }] : []),
  ]
}
