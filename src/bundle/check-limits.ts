import { formatBytes } from '../lib/bytes.ts'
import { type BundleManifest, blobPath, limits, manifestName, signatureName } from './format.ts'
import { pathsFault } from './plain-paths.ts'
import { quoted } from './refuse.ts'

/**
 * Why a bundle of this `bundle.json` is more than a host should take, or named as some host cannot take it, in words that
 * follow its name; undefined for a bundle that is fit. Asked when packing too, so that nobody packs what nobody opens. Pure.
 */
export function limitsFault({ files, images }: BundleManifest): string | undefined {
  if (files.length + 2 > limits.files) return `holds more than ${limits.files} files`
  const layers = new Map(images.flatMap((image) => image.layers).map((one) => [blobPath(one.digest), one]))
  const small = files.filter(({ path }) => !layers.has(path))
  const large = small.find(({ size }) => size > limits.file)
  if (large) return `holds ${quoted(large.path)}, which is larger than ${formatBytes(limits.file)}`
  if (small.reduce((sum, { size }) => sum + size, 0) > limits.smallFiles)
    return `holds files other than layers of more than ${formatBytes(limits.smallFiles)}`
  if ([...layers.values()].reduce((sum, { unpacked }) => sum + unpacked, 0) > limits.unpacked)
    return `holds layers that unpack to more than ${formatBytes(limits.unpacked)}`
  return pathsFault([...files.map(({ path }) => path), manifestName, signatureName])
}
