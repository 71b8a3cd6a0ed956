import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readTar, type TarEntry } from '../../src/debian/tar-reader.ts'
import {
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
  mediaTypes,
} from '../../src/image/oci.ts'
import { readLayoutBlob } from '../../src/image/read-layout.ts'
import { sha256Hex } from '../../src/lib/digest.ts'

/** Every document of a layout as indented JSON under a title, in the order in which index.json leads to them. */
export async function describeDocuments(layout: string): Promise<string> {
  const top = await readFile(path.join(layout, 'index.json'), 'utf8')
  const parts = [titled('index.json', JSON.parse(top))]
  const seen = new Set<string>()
  const visit = async (blob: Descriptor): Promise<void> => {
    if (!blob.mediaType.endsWith('+json') || seen.has(blob.digest)) return
    seen.add(blob.digest)
    const document = await readJson<unknown>(layout, blob)
    parts.push(titled(`${blob.mediaType}\n# ${blob.digest}, ${blob.size} bytes`, document))
    for (const child of childrenOf(blob, document)) await visit(child)
  }
  for (const blob of (JSON.parse(top) as Index).manifests) await visit(blob)
  for (const name of ['oci-layout', 'manifest.json']) {
    parts.push(titled(name, JSON.parse(await readFile(path.join(layout, name), 'utf8'))))
  }
  return parts.join('\n')
}

/** Every image's layers: digests and sizes, then one line a path. */
export async function describeLayers(layout: string): Promise<string> {
  const parts: string[] = []
  for (const { manifest, config } of await readImages(layout)) {
    for (const [index, layer] of manifest.layers.entries()) {
      const tar = gunzipSync(await readLayoutBlob(layout, layer))
      parts.push(
        `# linux/${config.architecture}, layer ${layer.annotations?.['io.slipway.layer']}`,
        `# blob   ${layer.digest}, ${layer.size} bytes`,
        `# diffID ${config.rootfs.diff_ids[index]}, ${tar.length} bytes`,
        ...readTar(tar).map(describeEntry),
        '',
      )
    }
  }
  return parts.join('\n')
}

/** The bills of materials, in the order of index.json. */
export async function readMaterials(layout: string): Promise<string[]> {
  const found: string[] = []
  for (const blob of (await readIndex(layout)).manifests) {
    if (blob.artifactType === undefined) continue
    const { layers } = await readJson<Manifest>(layout, blob)
    found.push(`${JSON.stringify(await readJson(layout, layers[0]!), null, 2)}\n`)
  }
  return found
}

function childrenOf({ mediaType }: Descriptor, document: unknown): readonly Descriptor[] {
  if (mediaType === mediaTypes.index) return (document as Index).manifests
  return mediaType === mediaTypes.manifest ? [(document as Manifest).config] : []
}

async function readImages(layout: string): Promise<{ manifest: Manifest; config: ImageConfig }[]> {
  const { manifests } = await readJson<Index>(layout, (await readIndex(layout)).manifests[0]!)
  return Promise.all(
    manifests.map(async (blob) => {
      const manifest = await readJson<Manifest>(layout, blob)
      return { manifest, config: await readJson<ImageConfig>(layout, manifest.config) }
    }),
  )
}

async function readIndex(layout: string): Promise<Index> {
  return JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8'))
}

async function readJson<T>(layout: string, blob: Descriptor): Promise<T> {
  return JSON.parse(Buffer.from(await readLayoutBlob(layout, blob)).toString('utf8'))
}

function titled(title: string, document: unknown): string {
  return `# ${title}\n${JSON.stringify(document, null, 2)}\n`
}

const letters: Readonly<Record<TarEntry['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
}

/** "- 0755 0:0 2025-03-01T12:00:00Z 12 usr/bin/sh sha256:…" */
function describeEntry({ path, type, mode, uid, gid, mtime, target, content, capability }: TarEntry): string {
  return [
    letters[type],
    mode.toString(8).padStart(4, '0'),
    `${uid}:${gid}`,
    new Date(mtime * 1000).toISOString().replace('.000', ''),
    ...(content ? [content.length] : []),
    path,
    ...(target === undefined ? [] : ['->', target]),
    ...(capability ? [`capability:${Buffer.from(capability).toString('hex')}`] : []),
    ...(content ? [`sha256:${sha256Hex(content)}`] : []),
  ].join(' ')
}
