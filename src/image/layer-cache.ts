import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { readTar, type TarEntry } from '../debian/tar-reader.ts'
import { replaceFile, writeFileAtomic } from '../lib/atomic.ts'
import { sweepLeftovers } from '../lib/sweep.ts'
import { fileHasDigest } from './blob.ts'
import type { Layer, LayerBlob } from './layer.ts'
import type { Entry } from './tree.ts'

/** A cached layer: its descriptor, where its blob is, and its tree when a layer above must be built. */
export interface CachedLayer extends Layer {
  readonly file: string
  /** Undefined where the tree cannot be read any more: the layer is then built again. */
  readonly tree: () => Promise<ReadonlyMap<string, Entry> | undefined>
}

/** Layers kept by the hash of what they are made from. Each file is whole or absent; any may vanish. */
export interface LayerCache {
  find(key: string): Promise<CachedLayer | undefined>
  store(key: string, layer: LayerBlob, entries: readonly Entry[]): Promise<CachedLayer>
}

export function openLayerCache(folder: string): LayerCache {
  const blobFile = (key: string): string => path.join(folder, `${key}.tar.gz`)
  const cached = (key: string, layer: Layer): CachedLayer => ({
    ...layer,
    file: blobFile(key),
    tree: () => readTree(path.join(folder, `${key}.tree.json`), blobFile(key)),
  })
  return {
    async find(key) {
      const layer = await readLayer(path.join(folder, `${key}.json`))
      // A cache on a failing disk must not become an image.
      if (!layer || !(await fileHasDigest(blobFile(key), layer))) return undefined
      return cached(key, layer)
    },
    async store(key, { blob, ...layer }, entries) {
      await sweepLeftovers(folder)
      await replaceFile(blobFile(key), (temporary) => writeFile(temporary, blob))
      await writeFileAtomic(path.join(folder, `${key}.tree.json`), JSON.stringify(entries.map(encodeEntry)))
      // The descriptor last: where it stands, the rest stands too.
      await writeFileAtomic(path.join(folder, `${key}.json`), `${JSON.stringify(layer)}\n`)
      return cached(key, layer)
    },
  }
}

async function readLayer(file: string): Promise<Layer | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Layer
  } catch {
    return undefined
  }
}

type EncodedEntry = Omit<Entry, 'content' | 'capability'> & {
  readonly text?: string
  readonly base64?: string
}

/** Files that layers above read and change often: accounts, alternatives, the package database, configuration. */
const kept =
  /^(etc\/|var\/lib\/dpkg\/(status$|alternatives\/|diversions$|statoverride$|triggers\/|info\/format$|info\/[^/]+\.list$))/
const largestKept = 1 << 20

/** What the others hold is in the blob, and is read there when a layer above asks for it. */
function encodeEntry({ content, capability: _, ...entry }: Entry): EncodedEntry {
  if (!content || content.length > largestKept || !kept.test(entry.path)) return entry
  const bytes = Buffer.from(content)
  const text = bytes.toString('utf8')
  return bytes.equals(Buffer.from(text)) ? { ...entry, text } : { ...entry, base64: bytes.toString('base64') }
}

async function readTree(file: string, blob: string): Promise<ReadonlyMap<string, Entry> | undefined> {
  try {
    const encoded = JSON.parse(await readFile(file, 'utf8')) as EncodedEntry[]
    let whole: ReadonlyMap<string, TarEntry> | undefined
    const read = (path: string): TarEntry => {
      whole ??= new Map(readTar(gunzipSync(readFileSync(blob))).map((entry) => [entry.path, entry]))
      return whole.get(path)!
    }
    return new Map(encoded.map((entry) => [entry.path, decodeEntry(entry, read)]))
  } catch {
    return undefined
  }
}

function decodeEntry({ text, base64, ...entry }: EncodedEntry, read: (path: string) => TarEntry): Entry {
  if (text !== undefined) return { ...entry, content: Buffer.from(text) }
  if (base64 !== undefined) return { ...entry, content: Buffer.from(base64, 'base64') }
  if (entry.type !== 'file') return entry
  // Few builds ask: a rule of a component for a package's file, a trigger that works something out of the whole tree.
  return {
    ...entry,
    get content() {
      return read(entry.path).content!
    },
    get capability() {
      return read(entry.path).capability as Uint8Array
    },
  }
}
