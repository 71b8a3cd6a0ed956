import { readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { formatBytes } from '../lib/bytes.ts'
import type { Cache } from '../lib/cache.ts'
import { sha256Hex } from '../lib/digest.ts'
import { badInput, errorCode, SlipwayError } from '../lib/errors.ts'
import { mapParallel } from '../lib/parallel.ts'
import type { Report } from '../lib/progress.ts'
import type { OpenedSuite } from './archive-release.ts'
import { type Compression, decompress, type Scratch } from './decompress.ts'
import { type DownloadOptions, downloadFile } from './download.ts'
import type { BinaryPackage } from './package.ts'
import { parsePackages } from './packages-index.ts'
import type { DebianSource } from './source.ts'

/** A Packages file of one suite, component and architecture. */
export interface IndexFile {
  readonly suite: OpenedSuite
  readonly architecture: string
  /** Below the suite's folder: "main/binary-amd64/Packages.xz". */
  readonly path: string
  readonly compression: Compression
  readonly size: number
  readonly sha256: string
}

/** The indexes of a suite that a definition asks for; `no-such-component` or `no-such-architecture` (exit code 2). */
export function indexesOf(suite: OpenedSuite, source: DebianSource, architecture: string): IndexFile[] {
  const { release, record } = suite
  if (!release.architectures.includes(architecture)) {
    throw badInput(
      'no-such-architecture',
      `${record.suite} has no packages for ${architecture} (it has ${release.architectures.join(', ')}); correct platforms in appliance.yaml.`,
    )
  }
  return source.archiveComponents.flatMap((component) => {
    if (!release.components.includes(component)) {
      throw badInput(
        'no-such-component',
        `${record.suite} has no "${component}" (it has ${release.components.join(', ')}); correct debian.archiveComponents in appliance.yaml.`,
      )
    }
    const folders = [architecture, ...(release.separateAll ? ['all'] : [])]
    return folders.map((folder) => {
      for (const [ending, compression] of [
        ['.xz', 'xz'],
        ['.gz', 'gz'],
        ['', 'none'],
      ] as const) {
        const place = `${component}/binary-${folder}/Packages${ending}`
        const file = release.files.get(place)
        if (file) return { suite, architecture, path: place, compression, ...file }
      }
      throw new SlipwayError(
        'bad-release',
        `The InRelease of ${record.suite} lists no Packages index for ${component}, ${folder}; set another mirror.`,
      )
    })
  })
}

function cachedName(index: IndexFile, cache: Cache): string {
  const ending = index.compression === 'none' ? '' : `.${index.compression}`
  return path.join(cache.archive, `${index.sha256}${ending}`)
}

/** Downloads the indexes that the cache lacks. */
export async function fetchIndexes(
  indexes: readonly IndexFile[],
  cache: Cache,
  network: DownloadOptions,
  report: Report,
): Promise<void> {
  const missing = new Map<string, IndexFile>()
  for (const index of indexes) {
    const size = await stat(cachedName(index, cache)).then(
      (found) => found.size,
      () => undefined,
    )
    if (size !== index.size) missing.set(index.sha256, index)
  }
  if (missing.size === 0) return
  const task = 'Packages indexes'
  const total = [...missing.values()].reduce((sum, index) => sum + index.size, 0)
  report({ type: 'start', task, total, unit: 'bytes' })
  const onBytes = (by: number) => report({ type: 'advance', task, by })
  await mapParallel([...missing.values()], { limit: 4, signal: network.signal }, (index, signal) =>
    fetchIndex(index, cache, { ...network, signal, onBytes }),
  )
  report({ type: 'finish', task, detail: formatBytes(total) })
}

/** By hash where the archive keeps files so, which no update of the mirror can pull away; else by name. */
async function fetchIndex(index: IndexFile, cache: Cache, network: DownloadOptions): Promise<void> {
  const { mirror, release, record } = index.suite
  const folder = `${mirror}/dists/${record.suite}`
  const file = {
    name: `${record.suite}/${index.path}`,
    size: index.size,
    sha256: index.sha256,
    url: `${folder}/${index.path}`,
  }
  const target = cachedName(index, cache)
  if (release.acquireByHash) {
    const url = `${folder}/${path.posix.dirname(index.path)}/by-hash/SHA256/${index.sha256}`
    try {
      return await downloadFile({ ...file, url }, target, network)
    } catch (error) {
      if (errorCode(error) !== 'not-found') throw error
    }
  }
  await downloadFile(file, target, network)
}

/** Reads an index: from the cache, checked against its InRelease, or fetched again where the cache's is damaged. */
export async function loadIndex(
  index: IndexFile,
  cache: Cache,
  network: DownloadOptions,
  scratch: Scratch,
): Promise<BinaryPackage[]> {
  const file = cachedName(index, cache)
  let data = await readFile(file).catch((error) => {
    if (errorCode(error) !== 'ENOENT') throw error
  })
  if (!data || sha256Hex(data) !== index.sha256) {
    await rm(file, { force: true })
    await fetchIndex(index, cache, network)
    data = await readFile(file)
  }
  const { suite } = index.suite.record
  const text = await decompress(data, index.compression, scratch).catch((error) => {
    throw new SlipwayError(
      'bad-index',
      `${suite}/${index.path} is what the archive signed, but it cannot be decompressed; set another mirror.`,
      { cause: error },
    )
  })
  return parsePackages(text, suite)
}
