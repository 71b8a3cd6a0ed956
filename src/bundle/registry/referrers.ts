import { jsonBlob } from '../../image/blob.ts'
import { type Descriptor, type Index, mediaTypes } from '../../image/oci.ts'
import type { Digest } from '../../lib/digest.ts'
import { badInput } from '../../lib/errors.ts'
import type { Answer } from '../../lib/http-request.ts'
import type { RegistrySession } from './session.ts'

/** The tag that stands for the referrers API where a registry lacks it (distribution-spec, "Referrers Tag Schema"). */
function referrersTag(subject: Digest): string {
  return subject.replace(':', '-')
}

/** Stores a manifest under a tag or its own digest; tells what the registry answered. */
export async function putManifest(
  session: RegistrySession,
  version: string,
  manifest: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
): Promise<Answer['headers']> {
  const { mediaType, digest } = manifest.descriptor
  const answer = await session.ask({
    method: 'PUT',
    path: `manifests/${version}`,
    headers: { 'content-type': mediaType },
    body: manifest.bytes,
    // 201 by the protocol; a large hosted registry says 202.
    wanted: [200, 201, 202, 204],
    what: `The manifest ${version} cannot be pushed`,
  })
  answer.discard()
  const stored = String(answer.headers['docker-content-digest'])
  if (stored.startsWith('sha256:') && stored !== digest) throw session.wrongBytes(digest, stored)
  return answer.headers
}

/** Stores an artifact that refers to another; tells whether the registry lists it by itself. */
export async function putReferrer(
  session: RegistrySession,
  referrer: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
): Promise<boolean> {
  const headers = await putManifest(session, referrer.descriptor.digest, referrer)
  return headers['oci-subject'] !== undefined
}

/**
 * Lists by tag what refers to `subject`, where the registry does not list it by itself. All of it at once: where tags may
 * not move, there is no second time.
 */
export async function listReferrers(
  session: RegistrySession,
  subject: Digest,
  referrers: readonly Descriptor[],
  /** Whether an entry of the list makes way for these. */
  replaces: (entry: Descriptor) => boolean = () => false,
): Promise<void> {
  if (referrers.length === 0) return
  const tag = referrersTag(subject)
  const entries = await readReferrersTag(session, subject)
  const added = referrers.filter(({ digest }) => !entries.some((entry) => entry.digest === digest))
  if (added.length === 0) return
  const index: Index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [...entries.filter((entry) => !replaces(entry)), ...added],
  }
  const blob = jsonBlob(index)
  const descriptor = { mediaType: mediaTypes.index, digest: blob.digest, size: blob.size }
  await putManifest(session, tag, { descriptor, bytes: blob.bytes })
}

async function readReferrersTag(session: RegistrySession, subject: Digest): Promise<Descriptor[]> {
  const tag = referrersTag(subject)
  const found = await session.readManifest(tag, `The list of what refers to ${subject} cannot be read`)
  if (!found) return []
  try {
    const { manifests } = JSON.parse(found.bytes.toString()) as Partial<Index>
    if (Array.isArray(manifests)) return [...manifests]
  } catch {}
  throw badInput(
    'bad-referrers',
    `${session.reference.registry}/${session.reference.repository}:${tag} is no OCI image index, so nothing can be added to it; remove that tag, and push again.`,
  )
}
