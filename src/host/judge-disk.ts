import { formatBytes } from '../lib/bytes.ts'
import { type Finding, fail, pass, warn } from './finding.ts'
import type { HostFacts } from './host-facts.ts'
import type { HostState } from './state.ts'
import type { HostTarget } from './target.ts'

/** Bytes that the image still takes: layers are unpacked to about three times their size. */
function roomForImage({ images }: HostState, { image }: HostTarget): number {
  return !image || images.some((one) => image.ids.includes(one.id)) ? 0 : image.size * 4
}

/** Where images have a file system of their own: an Engine of 29 and later may keep them with containerd. */
export function judgeImageDisk(
  { info, freeImageDisk }: HostFacts,
  current: HostState,
  target: HostTarget,
): Finding[] {
  if (freeImageDisk === undefined) return []
  const forImage = roomForImage(current, target)
  const where = info.imageDirectory
  const says = `The image needs ${formatBytes(forImage)} more in ${where}; ${formatBytes(freeImageDisk)} are free`
  if (forImage + smallReserve <= freeImageDisk) return [pass('image disk', says)]
  return [fail('image disk', says, makeRoom)]
}

export function judgeDisk(
  { info, freeDisk, freeImageDisk }: HostFacts,
  current: HostState,
  target: HostTarget,
  cache: number,
): Finding {
  const forImage = freeImageDisk === undefined ? roomForImage(current, target) : 0
  const present = target.volumes.every((volume) => current.volumes.some((one) => one.name === volume.name))
  const forCache = present ? 0 : cache
  const where = info.rootDirectory || "the Engine's folder"
  const wanted = `The image needs ${formatBytes(forImage)} more and the caches up to ${formatBytes(forCache)} in ${where}`
  if (freeDisk === undefined) {
    return warn(
      'disk',
      `${wanted}; how much is free cannot be seen from this machine`,
      `look on the host: \`df -h ${where}\``,
    )
  }
  const says = `${wanted}; ${formatBytes(freeDisk)} are free`
  if (forImage + smallReserve > freeDisk) {
    return fail('disk', says, makeRoom)
  }
  if (forImage + forCache + smallReserve > freeDisk)
    return warn(
      'disk',
      says,
      'make room, or give the cache less (`--set optimiser.cache=…`): a full disk stops every service of the host',
    )
  return pass('disk', says)
}

/** Bytes for logs and what services write. */
const smallReserve = 100e6
const makeRoom = 'make room (`docker system df` shows what fills it), then run the same command again'
