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
    wanted: [201],
    what: `The manifest ${version} cannot be pushed`,
  })
  answer.discard()
  const stored = answer.headers['docker-content-digest']
  if (stored !== undefined && stored !== digest) throw session.wrongBytes(digest, String(stored))
  return answer.headers
}

/** Stores an artifact that refers to `subject`, and lists it by tag where the registry does not list it by itself. */
export async function putReferrer(
  session: RegistrySession,
  subject: Digest,
  referrer: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
  /** Whether an entry of the list makes way for this one. */
  replaces: (entry: Descriptor) => boolean = () => false,
): Promise<void> {
  const headers = await putManifest(session, referrer.descriptor.digest, referrer)
  if (headers['oci-subject'] !== undefined) return
  const tag = referrersTag(subject)
  const entries = await readReferrersTag(session, subject)
  if (entries.some((entry) => entry.digest === referrer.descriptor.digest)) return
  const index: Index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [...entries.filter((entry) => !replaces(entry)), referrer.descriptor],
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
