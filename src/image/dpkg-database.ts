import { fieldOf, parseStanzas, type Stanza } from '../debian/deb822.ts'
import { scriptText } from '../debian/script.ts'
import { parseTriggers } from '../debian/trigger.ts'
import { compareBytes } from '../lib/compare-bytes.ts'
import { SlipwayError } from '../lib/errors.ts'
import { type Conffile, md5Hex, mergeStatus, statusStanza } from './dpkg-status.ts'
import { writeText } from './effects/files.ts'
import { type Excluded, excludedPackage } from './excluded-package.ts'
import type { FileTree } from './file-tree.ts'
import type { InstalledPackage } from './installed-package.ts'
import type { Entry } from './tree.ts'

const admin = 'var/lib/dpkg'

/** Files of control.tar that dpkg keeps under info/; `control` itself goes into the status file. */
const notKept = new Set(['control', 'list'])
const scripts = new Set(['preinst', 'postinst', 'prerm', 'postrm', 'config'])

/**
 * Writes dpkg's database for packages that were just configured, on top of what layers below say: status, info/*,
 * triggers, and the empty files that dpkg makes. Paths left out of the image are left out of the lists and sums, so
 * that `dpkg -V` finds nothing missing. `excluded` dependencies become one package that provides them.
 */
export function writeDpkgDatabase(
  tree: FileTree,
  packages: readonly InstalledPackage[],
  excluded: readonly Excluded[],
): void {
  const all = excluded.length > 0 ? [...packages, excludedPackage(excluded)] : packages
  const stanzas = all.map((installed) => writePackage(tree, installed))
  const status = `${admin}/status`
  writeText(tree, status, mergeStatus(tree.get(status) ? tree.readText(status) : '', stanzas))
  writeTriggers(tree, packages)
  writeOnce(tree, 'info/format', '1\n')
  const architecture = packages.map(architectureOf).find((name) => name !== 'all')
  if (architecture) writeOnce(tree, 'arch', `${architecture}\n`)
  for (const name of ['diversions', 'triggers/Unincorp']) writeOnce(tree, name, '')
  for (const name of ['lock', 'lock-frontend']) writeOnce(tree, name, '', 0o640)
  writeOnce(tree, 'triggers/Lock', '', 0o600)
  for (const name of ['alternatives', 'parts', 'updates']) {
    const path = `${admin}/${name}`
    if (!tree.get(path)) {
      tree.put({ path, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: tree.date })
    }
  }
}

/** Names of the packages that the layers so far have installed. */
export function installedNames(tree: FileTree): string[] {
  if (!tree.get(`${admin}/status`)) return []
  return parseStanzas(tree.readText(`${admin}/status`), 'var/lib/dpkg/status').map(
    (stanza) => fieldOf(stanza, 'Package')!,
  )
}

function architectureOf({ control }: InstalledPackage): string | undefined {
  return fieldOf(controlStanza(control), 'Architecture')
}

/** Writes a package's files under info/ and returns its status stanza. */
function writePackage(tree: FileTree, installed: InstalledPackage): string {
  const stanza = controlStanza(installed.control)
  const base = `${admin}/info/${infoName(stanza)}`
  const omitted = new Set(installed.omitted)
  writeText(tree, `${base}.list`, listText(installed.entries))
  for (const [name, content] of installed.control) {
    if (notKept.has(name)) continue
    const text = name === 'md5sums' ? keptSums(scriptText(content), omitted) : undefined
    tree.put({
      path: `${base}.${name}`,
      type: 'file',
      mode: scripts.has(name) ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: tree.date,
      content: text === undefined ? content : new TextEncoder().encode(text),
    })
  }
  return statusStanza(stanza, conffilesOf(installed))
}

function controlStanza(control: ReadonlyMap<string, Uint8Array>): Stanza {
  const [stanza] = parseStanzas(scriptText(control.get('control') ?? new Uint8Array()), 'control')
  if (!stanza || !fieldOf(stanza, 'Package')) {
    throw new SlipwayError('damaged-deb', 'A package has no control file that names it.')
  }
  return stanza
}

/** The path at which dpkg keeps a package's maintainer script. */
export function scriptPath(control: ReadonlyMap<string, Uint8Array>, script: string): string {
  return `/${admin}/info/${infoName(controlStanza(control))}.${script}`
}

/** dpkg names the files of co-installable packages with their architecture. */
function infoName(stanza: Stanza): string {
  const name = fieldOf(stanza, 'Package')!
  return fieldOf(stanza, 'Multi-Arch') === 'same' ? `${name}:${fieldOf(stanza, 'Architecture')}` : name
}

function listText(entries: readonly Entry[]): string {
  return ['/.', ...entries.map((entry) => `/${entry.path}`)].map((path) => `${path}\n`).join('')
}

function keptSums(md5sums: string, omitted: ReadonlySet<string>): string {
  return md5sums
    .split('\n')
    .filter((line) => line !== '' && !omitted.has(line.slice(34)))
    .map((line) => `${line}\n`)
    .join('')
}

/** With the sums of the packaged contents: an overlay may have replaced them since, as an administrator may. */
function conffilesOf({ control, entries }: InstalledPackage): Conffile[] {
  const listed = scriptText(control.get('conffiles') ?? new Uint8Array())
  const byPath = new Map(entries.map((entry) => [`/${entry.path}`, entry]))
  return listed.split('\n').flatMap((path) => {
    const content = byPath.get(path.trim())?.content
    return content ? [{ path: path.trim(), md5: md5Hex(content) }] : []
  })
}

/** triggers/File for paths, one file a name for the others (deb-triggers(5), dpkg's doc/spec/triggers.txt). */
function writeTriggers(tree: FileTree, packages: readonly InstalledPackage[]): void {
  for (const { control } of packages) {
    const stanza = controlStanza(control)
    const { interests } = parseTriggers(scriptText(control.get('triggers') ?? new Uint8Array()))
    for (const interest of interests) {
      const owner = fieldOf(stanza, 'Package') + (interest.await ? '' : '/noawait')
      if (interest.name.startsWith('/')) addLine(tree, 'triggers/File', `${interest.name} ${owner}`)
      else addLine(tree, `triggers/${interest.name}`, owner)
    }
  }
  writeOnce(tree, 'triggers/File', '')
}

function addLine(tree: FileTree, name: string, line: string): void {
  const path = `${admin}/${name}`
  const lines = tree.get(path) ? tree.readText(path).split('\n').filter(Boolean) : []
  if (lines.includes(line)) return
  writeText(
    tree,
    path,
    [...lines, line]
      .sort(compareBytes)
      .map((text) => `${text}\n`)
      .join(''),
  )
}

function writeOnce(tree: FileTree, name: string, text: string, mode = 0o644): void {
  if (!tree.get(`${admin}/${name}`)) writeText(tree, `${admin}/${name}`, text, { mode })
}
