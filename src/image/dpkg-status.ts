import { createHash } from 'node:crypto'
import { type Field, fieldOf, formatStanza, parseStanzas, type Stanza } from '../debian/deb822.ts'

/** The order in which dpkg writes the fields that it knows; others follow in their own order (dpkg, parse.c). */
const order = [
  'Package',
  'Essential',
  'Protected',
  'Status',
  'Priority',
  'Section',
  'Installed-Size',
  'Origin',
  'Maintainer',
  'Bugs',
  'Architecture',
  'Multi-Arch',
  'Source',
  'Version',
  'Replaces',
  'Provides',
  'Depends',
  'Pre-Depends',
  'Recommends',
  'Suggests',
  'Breaks',
  'Conflicts',
  'Enhances',
  'Conffiles',
  'Description',
].map((name) => name.toLowerCase())

/** A configuration file of a package and the MD5 of its content there. */
export interface Conffile {
  readonly path: string
  readonly md5: string
}

/** The stanza of an installed package in /var/lib/dpkg/status, from its control file. */
export function statusStanza(control: Stanza, conffiles: readonly Conffile[]): string {
  const fields: Field[] = [
    ...control.fields.filter((field) => field.value !== ''),
    { name: 'Status', value: 'install ok installed' },
  ]
  if (conffiles.length > 0) {
    fields.push({
      name: 'Conffiles',
      value: conffiles.map(({ path, md5 }) => `\n ${path} ${md5}`).join(''),
    })
  }
  const rank = (field: Field): number => {
    const index = order.indexOf(field.name.toLowerCase())
    return index < 0 ? order.length : index
  }
  return formatStanza(fields.sort((a, b) => rank(a) - rank(b)))
}

/** Merges stanzas into a status file, sorted as dpkg sorts: by name, then by architecture. */
export function mergeStatus(old: string, stanzas: readonly string[]): string {
  const byKey = new Map<string, string>()
  for (const stanza of [...old.split('\n\n'), ...stanzas]) {
    if (stanza.trim() === '') continue
    const [parsed] = parseStanzas(stanza, 'var/lib/dpkg/status')
    const key = `${fieldOf(parsed!, 'Package')} ${fieldOf(parsed!, 'Architecture')}`
    byKey.set(key, `${stanza.trimEnd()}\n`)
  }
  return [...byKey]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, stanza]) => `${stanza}\n`)
    .join('')
}

export function md5Hex(content: Uint8Array): string {
  return createHash('md5').update(content).digest('hex')
}
