import type { KeyObject } from 'node:crypto'
import { jsonBlob } from '../../image/blob.ts'
import { type Descriptor, type Manifest, mediaTypes } from '../../image/oci.ts'
import type { Digest } from '../../lib/digest.ts'
import { verifyBytes } from '../signature.ts'

/** Signatures of images as cosign keeps them in a registry (cosign's SIGNATURE_SPEC, "Simple Signing"). */

const payloadType = 'application/vnd.dev.cosign.simplesigning.v1+json'
export const signatureType = 'application/vnd.dev.cosign.artifact.sig.v1+json'
const signatureKey = 'dev.cosignproject.cosign/signature'
const claim = 'cosign container image signature'

/** The tag under which an image's signatures stand. */
export function signatureTag(digest: Digest): string {
  return `${digest.replace(':', '-')}.sig`
}

/** What is signed: that this digest is the image meant by `reference`, a name without a tag. */
export function signaturePayload(reference: string, digest: Digest): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': reference },
        image: { 'docker-manifest-digest': digest },
        type: claim,
      },
      optional: null,
    }),
  )
}

/** A layer that holds a payload, with its signature. */
export function signatureLayer(payload: { digest: Digest; size: number }, signature: string): Descriptor {
  return {
    mediaType: payloadType,
    digest: payload.digest,
    size: payload.size,
    annotations: { [signatureKey]: signature },
  }
}

/** The manifest of an image's signatures, which refers to the image too, and its configuration. */
export function signatureManifest(subject: Descriptor, layers: readonly Descriptor[]) {
  const config = jsonBlob({
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  })
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: signatureType,
    config: { mediaType: mediaTypes.config, digest: config.digest, size: config.size },
    layers,
    subject,
  }
  return { manifest: jsonBlob(manifest), config }
}

/** The signatures of a manifest that somebody may have written: what has not their shape is left out. */
export function signatureLayers(manifestBytes: Uint8Array): Descriptor[] {
  try {
    const { layers } = JSON.parse(new TextDecoder().decode(manifestBytes)) as { layers?: unknown }
    if (!Array.isArray(layers)) return []
    return (layers as Descriptor[]).filter(
      (layer) =>
        layer?.mediaType === payloadType &&
        /^sha256:[0-9a-f]{64}$/.test(layer.digest) &&
        Number.isSafeInteger(layer.size) &&
        typeof layer.annotations?.[signatureKey] === 'string',
    )
  } catch {
    return []
  }
}

/** Whether a payload is signed by a key. */
export function isSigned(layer: Descriptor, payload: Uint8Array, key: KeyObject): boolean {
  return verifyBytes(key, payload, layer.annotations?.[signatureKey] ?? '')
}

/** Whether a payload says that it is about this digest; its reference is not looked at, as cosign does not. */
export function isAbout(payload: Uint8Array, digest: Digest): boolean {
  try {
    const { critical } = JSON.parse(new TextDecoder().decode(payload)) as {
      critical?: { type?: unknown; image?: { 'docker-manifest-digest'?: unknown } }
    }
    return critical?.type === claim && critical.image?.['docker-manifest-digest'] === digest
  } catch {
    return false
  }
}
