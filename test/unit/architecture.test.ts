import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const order = [
  'lib',
  'debian',
  'definition',
  'lock',
  'image',
  'bundle',
  'engine',
  'host',
  'fleet',
  'console',
  'cli',
]

/** What Docker's own programs do by starting another: each of these has a protocol, and no shell between. */
const starters = ['src/bundle/registry/credential-helper.ts', 'src/engine/ssh-connection.ts']
const sources = filesBelow('src').filter((file) => file.endsWith('.ts'))

describe('the folders of src', () => {
  it('a folder imports only itself and the folders before it', () => {
    const wrong = importsOf(sources).filter(({ file, specifier }) => {
      if (!specifier.startsWith('.')) return false
      const imported = path.posix.join(path.posix.dirname(file), specifier)
      return order.indexOf(folderOf(imported)) > order.indexOf(folderOf(file))
    })
    expect(wrong).toEqual([])
  })

  it('there is no folder beside the known ones', () => {
    const unknown = [...new Set(sources.map(folderOf))].filter((folder) => !order.includes(folder))
    expect(unknown).toEqual([])
  })

  it('a relative import names a file that is there, with its .ts ending', () => {
    const wrong = importsOf(sources).filter(
      ({ file, specifier }) =>
        specifier.startsWith('.') && !sources.includes(path.posix.join(path.posix.dirname(file), specifier)),
    )
    expect(wrong).toEqual([])
  })

  it('no file imports, by whatever way round, what imports it', () => {
    const imported = new Map<string, string[]>(sources.map((file) => [file, []]))
    for (const { file, specifier } of importsOf(sources))
      if (specifier.startsWith('.'))
        imported.get(file)!.push(path.posix.join(path.posix.dirname(file), specifier))
    // What imports nothing that is left goes, until nothing is left but circles and what leads into them.
    for (let before = -1; before !== imported.size; ) {
      before = imported.size
      for (const [file, others] of imported)
        if (others.every((other) => !imported.has(other))) imported.delete(file)
    }
    expect([...imported.keys()]).toEqual([])
  })

  it('only engine knows dockerode', () => {
    const users = importsOf(sources).filter(({ specifier }) => /^dockerode\b|^docker-modem\b/.test(specifier))
    expect(users.filter(({ file }) => folderOf(file) !== 'engine')).toEqual([])
  })

  it('only cli prints or ends the process', () => {
    const printing = /\bconsole\.\w+\(|\bprocess\.(?:stdout|stderr|exit|exitCode)\b/
    const users = sources.filter((file) => printing.test(withoutComments(read(file))))
    expect(users.filter((file) => folderOf(file) !== 'cli')).toEqual([])
  })

  it('only the demo starts programs, and what asks Docker’s credential helpers or goes by ssh', () => {
    const users = importsOf(sources).filter(({ specifier }) =>
      /^(?:node:)?child_process$|^execa$/.test(specifier),
    )
    expect(users.filter(({ file }) => !file.startsWith('src/cli/demo/') && !starters.includes(file))).toEqual(
      [],
    )
  })

  it('a command to type is told by the name of the program, which is a partner’s at times: commandName()', () => {
    const literal = /(?<![\w./'"-])slipway (?:-|[a-z])/
    const users = sources.filter((file) => file !== 'src/lib/command-name.ts')
    const naming = users.flatMap((file) =>
      withoutComments(read(file))
        .split('\n')
        .filter((line) => literal.test(line) && !/programName|interface|^\s*\/\//.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    )
    expect(naming).toEqual([])
  })

  it('no module has a default export', () => {
    const defaults = /^export default\b|\bas default\b/m
    expect(sources.filter((file) => defaults.test(withoutComments(read(file))))).toEqual([])
  })
})

describe('the tracked files', () => {
  it('none names the host of a registry, a mirror or a package archive', () => {
    const hosts = [
      ['deb', 'debian', 'org'],
      ['ftp', 'debian', 'org'],
      ['security', 'debian', 'org'],
      ['snapshot', 'debian', 'org'],
      ['archive', 'ubuntu', 'com'],
      ['registry', 'npmjs', 'org'],
      ['registry', 'yarnpkg', 'com'],
      ['registry-1', 'docker', 'io'],
      ['index', 'docker', 'io'],
      ['hub', 'docker', 'com'],
      ['ghcr', 'io'],
      ['quay', 'io'],
      ['gcr', 'io'],
    ].map((labels) => labels.join('.'))
    const naming = trackedFiles().flatMap((file) => {
      const text = read(file)
      return hosts.filter((host) => text.includes(host)).map((host) => `${file}: ${host}`)
    })
    expect(naming).toEqual([])
  })

  it('the package lock names no download address', () => {
    const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, object> }
    expect(Object.entries(lock.packages).filter(([, entry]) => 'resolved' in entry)).toEqual([])
  })
})

interface Import {
  readonly file: string
  readonly specifier: string
}

function importsOf(files: readonly string[]): Import[] {
  const statement = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*|\bresolve\s*\(\s*)'([^'\n]+)'/g
  return files.flatMap((file) =>
    [...withoutComments(read(file)).matchAll(statement)].map((match) => ({ file, specifier: match[1]! })),
  )
}

/** Good enough for imports and calls at the start of statements: block comments and whole-line comments go. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

/** "src/lib/errors.ts" → "lib". */
function folderOf(file: string): string {
  return file.split('/')[1] ?? ''
}

function read(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
}

function trackedFiles(): string[] {
  return execaSync('git', ['ls-files', '-z'], { cwd: root, stripFinalNewline: false })
    .stdout.split('\0')
    .filter((file) => file !== '')
}
