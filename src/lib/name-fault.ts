/** What Linux's file systems take at the most for one name, in bytes (NAME_MAX). */
const longest = 255

/**
 * Why no host could unpack a file of this name, in words that follow it; undefined where all can. A name that was not
 * UTF-8 has U+FFFD where it could not be read: two of them could be one.
 */
export function nameFault(name: string): string | undefined {
  if (name.includes('\ufffd')) return 'has a name that is not UTF-8'
  const bytes = Buffer.byteLength(name)
  return bytes > longest ? `has a name of ${bytes} bytes, and no host takes more than ${longest}` : undefined
}
