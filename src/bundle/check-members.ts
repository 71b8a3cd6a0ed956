import type { BundleFile } from './bundle-file.ts'
import { type BundledFile, type BundleManifest, manifestName, signatureName } from './format.ts'
import { damaged, type Member, unsafe } from './read-members.ts'
import { quoted } from './refuse.ts'
import { block, bundleHeader, endSize, paddingOf } from './tar-block.ts'

/**
 * Holds what is in the tar against what `bundle.json` says: the same files in the same order and of the same size,
 * each header as this program writes it, zeros between and behind. No byte is then left that means nothing. Throws
 * `damaged-bundle`, `unsafe-bundle`.
 */
export async function checkMembers(
  file: BundleFile,
  members: readonly Member[],
  manifest: BundleManifest,
): Promise<void> {
  const found = new Map(members.map((member) => [member.path, member]))
  const expected = expectedFiles(manifest, found)
  const known = new Set(expected.map(({ path }) => path))
  for (const { path } of members)
    if (!known.has(path))
      throw unsafe(file, `it holds ${quoted(path)}, which its ${manifestName} does not name`)
  for (const { path, size } of expected) {
    const member = found.get(path)
    if (!member) throw damaged(file, `${quoted(path)} is missing from it`)
    if (member.size !== size)
      throw damaged(file, `${quoted(path)} has ${member.size} bytes, and its ${manifestName} says ${size}`)
  }
  const date = Math.floor(Date.parse(manifest.date) / 1000)
  let end = 0
  for (const [index, { path, size }] of expected.entries()) {
    const member = members[index]!
    if (member.path !== path) throw damaged(file, `${quoted(member.path)} stands where ${quoted(path)} must`)
    if (index === manifest.prefix.files && member.header !== manifest.prefix.size)
      throw damaged(file, `its beginning is not the ${manifest.prefix.size} bytes that ${manifestName} says`)
    const header = await file.read(member.header, block)
    if (!header.equals(bundleHeader(path, size, date)))
      throw damaged(file, `the tar header of ${quoted(path)} was altered`)
    end = member.content + size
    if (!(await isZero(file, end, paddingOf(size))))
      throw damaged(file, `what follows ${quoted(path)} was altered`)
    end += paddingOf(size)
  }
  if (file.size < end + endSize) throw damaged(file, `it is cut off at byte ${file.size}, at its end`)
  if (file.size > end + endSize) throw damaged(file, 'something follows its end')
  if (!(await isZero(file, end, endSize))) throw damaged(file, 'its end was altered')
}

/** Sizes of the two files that `bundle.json` cannot name are taken as they are: the signature vouches for them. */
function expectedFiles(
  { files, prefix, key }: BundleManifest,
  found: ReadonlyMap<string, Member>,
): Omit<BundledFile, 'sha256'>[] {
  const own = (path: string) => ({ path, size: found.get(path)?.size ?? 0 })
  return [
    ...files.slice(0, prefix.files),
    own(manifestName),
    ...(key === undefined ? [] : [own(signatureName)]),
    ...files.slice(prefix.files),
  ]
}

async function isZero(file: BundleFile, offset: number, length: number): Promise<boolean> {
  return (await file.read(offset, length)).every((byte) => byte === 0)
}
