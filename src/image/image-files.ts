import { gunzipSync } from 'node:zlib'
import { readTar, type TarEntry } from '../debian/tar-reader.ts'
import type { ImageSource } from './image-source.ts'
import type { ImageConfig } from './oci.ts'

/** An image opened to be looked at: its configuration, and every path as the topmost layer has it. */
export interface OpenedImage {
  readonly config: ImageConfig
  readonly files: ReadonlyMap<string, TarEntry>
}

/** Reads an image whole into memory: layers are laid over each other; ours never remove a path of a lower one. */
export async function openImage(source: ImageSource): Promise<OpenedImage> {
  const config = JSON.parse((await collect(source.open(source.config))).toString('utf8')) as ImageConfig
  const files = new Map<string, TarEntry>()
  for (const layer of source.layers) {
    for (const entry of readTar(gunzipSync(await collect(source.open(layer))))) files.set(entry.path, entry)
  }
  return { config, files }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The package database of an image: name → version. */
export function installedPackages(files: ReadonlyMap<string, TarEntry>): Map<string, string> {
  const status = files.get('var/lib/dpkg/status')?.content
  const packages = new Map<string, string>()
  for (const stanza of Buffer.from(status ?? [])
    .toString('utf8')
    .split(/\n\n+/)) {
    const name = /^Package: (.*)$/m.exec(stanza)?.[1]
    const version = /^Version: (.*)$/m.exec(stanza)?.[1]
    if (name && version) packages.set(name, version)
  }
  return packages
}
