import { createPackageIndex, type PackageIndex } from '../../src/debian/package-index.ts'
import { parsePackages } from '../../src/debian/packages-index.ts'

/**
 * An index from stanzas in short: one package a line, `name version; Field: value; …`. Architecture is amd64 unless a
 * field says otherwise.
 */
export function tinyIndex(
  lines: string,
  options: { architecture?: string; suite?: string } = {},
): PackageIndex {
  const { architecture = 'amd64', suite = 'trixie' } = options
  return createPackageIndex(architecture, [parsePackages(tinyStanzas(lines, architecture), suite)])
}

/** The text of a Packages index for the same lines, with everything that a lock needs. */
export function tinyStanzas(lines: string, architecture = 'amd64'): string {
  const rows = lines.split('\n').filter((line) => line.trim() !== '')
  return rows.map((line) => tinyStanza(line.trim(), architecture)).join('\n')
}

function tinyStanza(line: string, architecture: string): string {
  const [head, ...fields] = line.split(';').map((part) => part.trim())
  const [name, version] = head!.split(' ')
  const given = fields.join('\n')
  const defaults = {
    Architecture: architecture,
    Filename: `pool/main/${name![0]}/${name}/${name}_${version}_${architecture}.deb`,
    Size: '1000',
    SHA256: Buffer.from(`${name} ${version} ${architecture}`).toString('hex').padEnd(64, '0').slice(-64),
  }
  const added = Object.entries(defaults)
    .filter(([field]) => !new RegExp(`^${field}:`, 'm').test(given))
    .map(([field, value]) => `${field}: ${value}`)
  return `${[`Package: ${name}`, `Version: ${version}`, ...fields, ...added].join('\n')}\n`
}
