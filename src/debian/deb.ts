import { damaged, readAr } from './ar.ts'
import { compressionOf, decompress, type Scratch } from './decompress.ts'
import { readTar, type TarEntry } from './tar-reader.ts'

/** A binary package as a file holds it (deb(5)). */
export interface Deb {
  /** Files of control.tar by name: "control", "postinst", "md5sums" … Copies. */
  readonly control: ReadonlyMap<string, Uint8Array>
  /** Entries of data.tar in its order. Contents are views of `scratch`, valid until it is used again. */
  readonly entries: readonly TarEntry[]
}

/** Reads a .deb; throws `damaged-deb` where it is not a whole one. The caller has checked its SHA-256. */
export async function readDeb(file: Uint8Array, scratch: Scratch): Promise<Deb> {
  const members = readAr(file)
  const version = members[0]
  if (version?.name !== 'debian-binary' || !Buffer.from(version.data).toString('latin1').startsWith('2.')) {
    throw damaged('it is not a Debian package of format 2')
  }
  const find = (name: string) => {
    const member = members.find((candidate) => candidate.name.startsWith(`${name}.tar`))
    if (!member) throw damaged(`it has no ${name}.tar`)
    return decompress(member.data, compressionOf(member.name), scratch)
  }
  const control = new Map<string, Uint8Array>()
  for (const entry of readTar(await find('control'))) {
    if (entry.type === 'file') control.set(entry.path, new Uint8Array(entry.content!))
  }
  if (!control.has('control')) throw damaged('its control.tar has no control file')
  return { control, entries: readTar(await find('data')) }
}
