import { type ArMember, damaged, readAr } from './ar.ts'
import { compressionOf, decompress, Scratch } from './decompress.ts'
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
  const members = packageMembers(file)
  const control = await controlFiles(members, scratch)
  return { control, entries: readTar(await unpackMember(members, 'data', scratch)) }
}

/** The files of control.tar alone, by name: quick, since the package's contents stay compressed. */
export async function readControl(file: Uint8Array): Promise<Map<string, Uint8Array>> {
  return controlFiles(packageMembers(file), new Scratch())
}

function packageMembers(file: Uint8Array): ArMember[] {
  const members = readAr(file)
  const version = members[0]
  if (version?.name !== 'debian-binary' || !Buffer.from(version.data).toString('latin1').startsWith('2.')) {
    throw damaged('it is not a Debian package of format 2')
  }
  return members
}

async function controlFiles(
  members: readonly ArMember[],
  scratch: Scratch,
): Promise<Map<string, Uint8Array>> {
  const control = new Map<string, Uint8Array>()
  for (const entry of readTar(await unpackMember(members, 'control', scratch))) {
    if (entry.type === 'file') control.set(entry.path, new Uint8Array(entry.content!))
  }
  if (!control.has('control')) throw damaged('its control.tar has no control file')
  return control
}

function unpackMember(members: readonly ArMember[], name: string, scratch: Scratch): Promise<Uint8Array> {
  const member = members.find((candidate) => candidate.name.startsWith(`${name}.tar`))
  if (!member) throw damaged(`it has no ${name}.tar`)
  return decompress(member.data, compressionOf(member.name), scratch)
}
