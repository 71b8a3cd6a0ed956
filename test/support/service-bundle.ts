import { mkdir, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { packBundle } from '../../src/bundle/pack-bundle.ts'
import type { UpdateBase } from '../../src/bundle/update-base.ts'
import { writeBundle } from '../../src/bundle/write-bundle.ts'
import { silent } from '../../src/lib/progress.ts'
import { tinyContent, tinyKey } from './tiny-bundle.ts'
import { writeTinyProduct } from './tiny-services.ts'

export interface ServiceBundle {
  readonly name: string
  readonly version?: string
  /** Random bytes in the lowest layer, so that no Engine has it. */
  readonly ballast?: Uint8Array
  readonly since?: UpdateBase
  readonly split?: number
  readonly unsigned?: boolean
}

/** Writes a bundle of a small appliance whose two services run: what is installed in a second. Returns its path. */
export async function writeServiceBundle(folder: string, bundle: ServiceBundle): Promise<string> {
  const { name, version = '1.0.0', since, split } = bundle
  await mkdir(folder, { recursive: true })
  const { directory } = await writeTinyProduct(folder, { name, version, services: services.join('\n') })
  const busybox = { content: await readFile('/bin/busybox'), mode: 0o755 }
  const content = await tinyContent(folder, {
    name,
    version,
    base: [
      { path: 'bin/busybox', ...busybox },
      { path: 'bin/sh', ...busybox },
      { path: 'ballast', content: bundle.ballast ?? '' },
    ],
    brand: [{ path: 'etc/product', content: `${name} ${version}\n` }],
    product: await readFolder(directory),
    labels: { 'io.slipway.product': name, 'io.slipway.release': version },
    ...(since && { since }),
  })
  const packed = await packBundle(content, bundle.unsigned ? undefined : tinyKey)
  await writeBundle(folder, packed, { report: silent, ...(split !== undefined && { split }) })
  return path.join(folder, packed.name)
}

const service = [
  '    image: tiny',
  '    init: true',
  '    stop_grace_period: 1s',
  '    command: ["/bin/busybox", "sleep", "100000"]',
  '    restart: unless-stopped',
  '    healthcheck: { test: ["CMD", "/bin/busybox", "true"], interval: 100ms, timeout: 5s, retries: 2 }',
]
const services = ['  front:', ...service, '  keeper:', ...service]

async function readFolder(folder: string): Promise<Record<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found.filter((one) => one.isFile()).map((one) => path.join(one.parentPath, one.name))
  const named = await Promise.all(
    files.sort().map(async (file) => {
      const name = path.relative(folder, file).split(path.sep).join('/')
      return [name, await readFile(file, 'utf8')] as const
    }),
  )
  return Object.fromEntries(named)
}
