import type { FileTree } from '../file-tree.ts'
import { writeText } from './files.ts'

const types = ['auth', 'account', 'password', 'session', 'session-noninteractive'] as const

interface Profile {
  readonly name: string
  readonly priority: number
  readonly isDefault: boolean
  readonly conflicts: ReadonlySet<string>
  readonly fields: ReadonlyMap<string, string>
}

type Block = 'Primary' | 'Additional'

/**
 * Writes /etc/pam.d/common-* and /var/lib/pam from the templates in /usr/share/pam and the profiles in
 * /usr/share/pam-configs that are enabled by default, as pam-auth-update(8) does on a new installation.
 */
export function updatePam(tree: FileTree): void {
  const folder = 'usr/share/pam-configs'
  const profiles = tree
    .list(folder)
    .filter((name) => !name.endsWith('~'))
    .map((name) => parseProfile(name, tree.readText(`${folder}/${name}`)))
    .sort((a, b) => b.priority - a.priority || (a.name < b.name ? 1 : -1))
  const enabled: Profile[] = []
  for (const profile of profiles) {
    const opposed = enabled.some((other) => opposes(other, profile) || opposes(profile, other))
    if (profile.isDefault && !opposed) enabled.push(profile)
  }
  for (const type of types) {
    const template = tree.readText(`usr/share/pam/common-${type}`)
    writeText(tree, `/etc/pam.d/common-${type}`, fillTemplate(template, type, enabled))
    writeText(tree, `/var/lib/pam/${type}`, savedState(type, enabled))
  }
  writeText(tree, '/var/lib/pam/seen', profiles.map((profile) => `${profile.name}\n`).join(''))
}

function opposes(a: Profile, b: Profile): boolean {
  return a.conflicts.has(b.name)
}

function parseProfile(name: string, text: string): Profile {
  const fields = new Map<string, string>()
  let field = ''
  for (const line of text.split('\n')) {
    const start = /^(\S+):(?:\s+(.*))?$/.exec(line)
    if (start) {
      field = start[1]!.replace(/-Final$/, '')
      fields.set(field, (start[2] ?? '').trimEnd())
    } else if (line.trim() !== '') {
      const before = fields.get(field)
      fields.set(field, before ? `${before}\n${line.trim()}` : line.trim())
    }
  }
  if (fields.get('Session-Interactive-Only') !== 'yes') {
    for (const suffix of ['-Type', '', '-Initial']) {
      const value = fields.get(`Session${suffix}`)
      if (value !== undefined) fields.set(`Session-noninteractive${suffix}`, value)
    }
  }
  return {
    name,
    priority: Number(fields.get('Priority') ?? 0),
    isDefault: fields.get('Default') === 'yes',
    conflicts: new Set((fields.get('Conflicts') ?? '').split(', ').filter((other) => other !== '')),
    fields,
  }
}

/** The lines of each profile that has a part in a block; the first of a block may have lines of its own. */
function blockLines(type: string, block: Block, enabled: readonly Profile[]): [Profile, string[]][] {
  const key = type[0]!.toUpperCase() + type.slice(1)
  return enabled
    .filter((profile) => profile.fields.get(`${key}-Type`) === block)
    .map((profile, index) => {
      const initial = index === 0 ? profile.fields.get(`${key}-Initial`) : undefined
      const lines = (initial || profile.fields.get(key)) ?? ''
      return [profile, lines.split('\n').filter((line) => line !== '')]
    })
}

function fillTemplate(template: string, type: string, enabled: readonly Profile[]): string {
  const word = type.replace('-noninteractive', '')
  const blocks: [begin: string, end: string, block: Block][] = [
    ['# here are the per-package modules', "# here's the fallback", 'Primary'],
    ['# and here are more per-package modules', '# end of pam-auth-update config', 'Additional'],
  ]
  const output: string[] = []
  let until: string | undefined
  for (const line of template.replace(/\n$/, '').split('\n')) {
    if (until !== undefined && !line.startsWith(until)) continue
    until = undefined
    output.push(line)
    const found = blocks.find(([begin]) => line.startsWith(begin))
    if (!found) continue
    until = found[1]
    output.push(...moduleLines(word, found[2], blockLines(type, found[2], enabled)))
  }
  return `${output.join('\n')}\n`
}

/** "success=end" becomes a jump over the lines that follow in the block. */
function moduleLines(word: string, block: Block, parts: readonly [Profile, string[]][]): string[] {
  const lines = parts.flatMap(([, own]) => own)
  if (block === 'Primary' && lines.length === 0) return [`${word}\t[default=1]\t\t\tpam_permit.so`]
  return lines.map((line, index) => {
    const left = lines.length - index - (block === 'Additional' ? 1 : 0)
    const [, module, options] = /^((?:\[[^\]]+\]|\w+)\s+\S+)\s*(.*)/.exec(line) ?? ['', line, '']
    return `${word}\t${module!.replaceAll('end', String(left))} ${options!.split(/\s+/).join(' ')}`
  })
}

/** What pam-auth-update compares with later, to notice local changes. */
function savedState(type: string, enabled: readonly Profile[]): string {
  const primary = blockLines(type, 'Primary', enabled)
  const text = (parts: readonly [Profile, string[]][]): string =>
    parts.map(([profile, lines]) => `Module: ${profile.name}\n${lines.join('\n')}\n`).join('')
  const none = 'Module: null\n[default=1]\t\t\tpam_permit.so\n'
  return (primary.length > 0 ? text(primary) : none) + text(blockLines(type, 'Additional', enabled))
}
