import type { KeyObject } from 'node:crypto'
import { createPublicKey } from 'node:crypto'
import type { Descriptor } from '../../image/oci.ts'
import { type Digest, digestOf } from '../../lib/digest.ts'
import { mapParallel } from '../../lib/parallel.ts'
import type { LayoutContent, ManifestContent } from './layout-content.ts'
import { formatReference } from './reference.ts'
import { manifestTypes, type RegistrySession } from './session.ts'
import { isSigned, signatureLayers, signaturePayload, signatureTag } from './simple-signing.ts'
import { isThere } from './upload.ts'

/** What a registry lacks of a layout. */
export interface PushPlan {
  readonly tag: string
  readonly blobs: readonly Descriptor[]
  /** Blobs that it has. */
  readonly present: number
  /** Images, then the index. */
  readonly manifests: readonly ManifestContent[]
  readonly referrers: readonly ManifestContent[]
  /** What our key has not signed there. */
  readonly unsigned: readonly Descriptor[]
  /** Whether the tag names something else, or nothing. */
  readonly tagMoves: boolean
}

/**
 * Asks a registry what it has of a layout, from the top: what names others is only there when they are.
 * `key`, public or private, says whose signatures are wanted.
 */
export async function planPush(
  session: RegistrySession,
  content: LayoutContent,
  tag: string,
  key?: KeyObject,
): Promise<PushPlan> {
  const { root, images } = content
  const tagMoves = (await digestOfTag(session, tag)) !== root.descriptor.digest
  const manifests: ManifestContent[] = []
  if (tagMoves && !(await hasManifest(session, root))) {
    const others = images.filter((image) => image !== root)
    manifests.push(...(await missing(session, others)), root)
  }
  // The tag goes last: until it stands, a referrer may be there that an earlier push was kept from listing.
  const referrers = tagMoves ? content.referrers : await missing(session, content.referrers)
  const wanted = new Map<Digest, Descriptor>()
  for (const { blobs } of [...manifests, ...referrers])
    for (const blob of blobs) wanted.set(blob.digest, blob)
  const blobs = await without([...wanted.values()], (blob) =>
    isThere(session, blob.digest, `Whether the blob ${blob.digest} is there cannot be asked`),
  )
  const unsigned = key ? await findUnsigned(session, content, key) : []
  return { tag, blobs, present: wanted.size - blobs.length, manifests, referrers, unsigned, tagMoves }
}

async function digestOfTag(session: RegistrySession, tag: string): Promise<string | undefined> {
  const what = `What the tag ${tag} names cannot be asked`
  const answer = await session.look({ ...manifestAt(tag), what })
  if (answer.status === 404) return undefined
  const told = answer.headers['docker-content-digest']
  // It may be of another algorithm than ours (distribution-spec, "Pulling manifests").
  return String(told).startsWith('sha256:') ? String(told) : (await session.readManifest(tag, what))?.digest
}

async function hasManifest(session: RegistrySession, { descriptor }: ManifestContent): Promise<boolean> {
  const what = `Whether the manifest ${descriptor.digest} is there cannot be asked`
  const answer = await session.look({ ...manifestAt(descriptor.digest, descriptor.mediaType), what })
  return answer.status === 200
}

function missing(
  session: RegistrySession,
  manifests: readonly ManifestContent[],
): Promise<ManifestContent[]> {
  return without(manifests, (manifest) => hasManifest(session, manifest))
}

async function without<T>(items: readonly T[], isThereAlready: (item: T) => Promise<boolean>): Promise<T[]> {
  const found = await mapParallel(items, { limit: 6 }, isThereAlready)
  return items.filter((_, index) => !found[index])
}

async function findUnsigned(
  session: RegistrySession,
  { root, images }: LayoutContent,
  key: KeyObject,
): Promise<PushPlan['unsigned']> {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const subjects = [...new Set([root, ...images])].map(({ descriptor }) => descriptor)
  const unsigned: Descriptor[] = []
  for (const { mediaType, digest, size } of subjects) {
    const payload = signaturePayload(formatReference(session.reference), digest)
    const own = (await readSignatures(session, digest)).some(
      (layer) => layer.digest === digestOf(payload) && isSigned(layer, payload, publicKey),
    )
    if (!own) unsigned.push({ mediaType, digest, size })
  }
  return unsigned
}

/** The signatures that a registry has of an image, whoever made them. */
export async function readSignatures(session: RegistrySession, digest: Digest): Promise<Descriptor[]> {
  const what = `The signatures of ${digest} cannot be read`
  const found = await session.readManifest(signatureTag(digest), what)
  return found ? signatureLayers(found.bytes) : []
}

function manifestAt(version: string, accept = manifestTypes) {
  return { path: `manifests/${version}`, headers: { accept } }
}
