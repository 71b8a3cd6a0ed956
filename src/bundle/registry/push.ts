import type { KeyObject } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Descriptor } from '../../image/oci.ts'
import { formatBytes } from '../../lib/bytes.ts'
import { commandName } from '../../lib/command-name.ts'
import { type Digest, digestOf, hexOf } from '../../lib/digest.ts'
import { badInput } from '../../lib/errors.ts'
import { sha256OfFile } from '../../lib/file-digest.ts'
import { mapParallel } from '../../lib/parallel.ts'
import type { Report } from '../../lib/progress.ts'
import { signBytes } from '../sign.ts'
import type { KnownBlobs } from './known-blobs.ts'
import { type LayoutContent, layoutBlobFile } from './layout-content.ts'
import { type PushPlan, readSignatures } from './plan-push.ts'
import { formatReference } from './reference.ts'
import { listReferrers, putManifest, putReferrer } from './referrers.ts'
import type { RegistrySession } from './session.ts'
import {
  signatureLayer,
  signatureManifest,
  signaturePayload,
  signatureTag,
  signatureType,
} from './simple-signing.ts'
import { isThere, uploadBlob } from './upload.ts'

export interface PushOptions {
  /** Private key for signatures; absent: none are made. */
  readonly key?: KeyObject | undefined
  /** Where the registry may have blobs already. */
  readonly known: KnownBlobs
  readonly report: Report
  readonly signal: AbortSignal
}

export interface Pushed {
  readonly uploaded: number
  readonly uploadedBytes: number
  /** Blobs that another repository of the registry lent. */
  readonly mounted: number
  readonly manifests: number
  readonly signatures: number
}

const atOnce = 3

/**
 * Brings to a registry what a plan says is missing: blobs, then manifests by digest, then what refers to them, then
 * the tag, so that whoever sees the tag finds all of it. Run again after a failure, it goes on with the rest.
 */
export async function pushLayout(
  session: RegistrySession,
  content: LayoutContent,
  plan: PushPlan,
  { key, known, report, signal }: PushOptions,
): Promise<Pushed> {
  const { reference } = session
  const task = `Push ${formatReference(reference, { tag: plan.tag })}`
  const total = plan.blobs.reduce((sum, blob) => sum + blob.size, 0)
  report({ type: 'start', task, total, unit: 'bytes' })
  let mounted = 0
  let uploadedBytes = 0
  await mapParallel(plan.blobs, { limit: atOnce, signal }, async (blob) => {
    const from = known.get(blob.digest)
    const mountFrom = from === reference.repository ? undefined : from
    const onBytes = (by: number): void => report({ type: 'advance', task, by })
    const how = await pushBlob(session, content, blob, { mountFrom, onBytes, signal })
    if (how === 'mounted') mounted++
    else uploadedBytes += blob.size
  })
  for (const manifest of plan.manifests) await putManifest(session, manifest.descriptor.digest, manifest)
  const unlisted = new Map<Digest, Descriptor[]>()
  for (const { subject, ...referrer } of plan.referrers) {
    if (await putReferrer(session, referrer)) continue
    unlisted.set(subject!.digest, [...(unlisted.get(subject!.digest) ?? []), referrer.descriptor])
  }
  for (const subject of plan.unsigned) {
    await pushSignature(session, subject, key!, unlisted.get(subject.digest))
    unlisted.delete(subject.digest)
  }
  for (const [subject, referrers] of unlisted) await listReferrers(session, subject, referrers)
  if (plan.tagMoves) await putManifest(session, plan.tag, content.root)
  const lent = mounted > 0 ? `, ${mounted} lent by another repository` : ''
  const there = plan.present > 0 ? `, ${plan.present} blobs were there` : ''
  report({ type: 'finish', task, detail: `${formatBytes(uploadedBytes)} sent${there}${lent}` })
  return {
    uploaded: plan.blobs.length - mounted,
    uploadedBytes,
    mounted,
    manifests: plan.manifests.length + plan.referrers.length + Number(plan.tagMoves),
    signatures: plan.unsigned.length,
  }
}

/** The bytes are held against the digest first: a registry would say so only after all of them. */
async function pushBlob(
  session: RegistrySession,
  content: LayoutContent,
  blob: Descriptor,
  options: { mountFrom: string | undefined; onBytes: (by: number) => void; signal: AbortSignal },
): Promise<'uploaded' | 'mounted' | 'present'> {
  const file = layoutBlobFile(content, blob)
  if ((await sha256OfFile(file, options.signal)) !== hexOf(blob.digest)) {
    throw badInput(
      'bad-blob',
      `${file} is missing, or its bytes do not have the digest of its name; \`${commandName()} build\` writes the layout anew.`,
    )
  }
  const handle = await open(file)
  try {
    const read = async (from: number, length: number): Promise<Uint8Array> => {
      const bytes = Buffer.alloc(length)
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, length - done, from + done)
        if (bytesRead === 0) throw badInput('bad-blob', `${file} was changed while it was read.`)
        done += bytesRead
      }
      return bytes
    }
    return await uploadBlob(session, { digest: blob.digest, size: blob.size, read }, options)
  } finally {
    await handle.close()
  }
}

/**
 * Adds a signature to those that an image has now: others may have signed it while its blobs were sent. `unlisted` is what
 * refers to the image and is listed with it.
 */
async function pushSignature(
  session: RegistrySession,
  subject: Descriptor,
  key: KeyObject,
  unlisted: readonly Descriptor[] = [],
): Promise<void> {
  const bytes = signaturePayload(formatReference(session.reference), subject.digest)
  const payload = { digest: digestOf(bytes), size: bytes.length }
  const layer = signatureLayer(payload, signBytes(key, bytes))
  await pushBytes(session, payload.digest, bytes)
  const others = await readSignatures(session, subject.digest)
  const { manifest, config } = signatureManifest(subject, [...others, layer])
  await pushBytes(session, config.digest, config.bytes)
  const { digest, size } = manifest
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const descriptor: Descriptor = { mediaType, digest, size, artifactType: signatureType }
  const whole = { descriptor, bytes: manifest.bytes }
  const isListed = await putReferrer(session, whole)
  const referrers = isListed ? unlisted : [...unlisted, descriptor]
  await listReferrers(session, subject.digest, referrers, (entry) => entry.artifactType === signatureType)
  await putManifest(session, signatureTag(subject.digest), whole)
}

async function pushBytes(session: RegistrySession, digest: Digest, bytes: Uint8Array): Promise<void> {
  if (await isThere(session, digest, `The blob ${digest} cannot be pushed`)) return
  const read = async (from: number, length: number) => bytes.subarray(from, from + length)
  await uploadBlob(session, { digest, size: bytes.length, read })
}
