import { type Descriptor, type Index, type Manifest, mediaTypes } from '../../image/oci.ts'
import { blobFile, readIndexFile, readLayoutBlob } from '../../image/read-layout.ts'
import { commandName } from '../../lib/command-name.ts'
import { badInput } from '../../lib/errors.ts'

/** A manifest or index with what it names. */
export interface ManifestContent {
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  /** Configuration and layers; none of an index. */
  readonly blobs: readonly Descriptor[]
  /** What a referrer refers to. */
  readonly subject?: Descriptor
}

/** What a push of a layout brings to a registry. */
export interface LayoutContent {
  readonly directory: string
  /** The layout's own name for it: a release's version. */
  readonly tag: string | undefined
  /** What the tag is to name: the index of several platforms, or one image. */
  readonly root: ManifestContent
  /** One for each platform. */
  readonly images: readonly ManifestContent[]
  /** Bills of materials, provenance: artifacts that refer to one of them. */
  readonly referrers: readonly ManifestContent[]
}

/** Reads what an image layout holds, every manifest held against its digest. Throws what `readLayout` throws. */
export async function readLayoutContent(directory: string): Promise<LayoutContent> {
  const top = await readIndexFile(directory)
  const isIndex = ({ mediaType }: Descriptor): boolean => mediaType === mediaTypes.index
  const rootDescriptor = top.manifests.find(isIndex) ?? top.manifests[0]
  if (!rootDescriptor) {
    throw badInput(
      'bad-layout',
      `${directory} holds no image; \`${commandName()} build\` writes the layout anew.`,
    )
  }
  const root = await readContent(directory, rootDescriptor)
  const images = isIndex(rootDescriptor)
    ? await Promise.all(indexOf(root).manifests.map((one) => readContent(directory, one)))
    : [root]
  const known = new Set([root, ...images].map(({ descriptor }) => descriptor.digest))
  const others = top.manifests.filter((one) => !known.has(one.digest) && !isIndex(one))
  const referrers = (await Promise.all(others.map((one) => readContent(directory, one)))).filter(
    ({ subject }) => subject && known.has(subject.digest),
  )
  const tag = rootDescriptor.annotations?.['org.opencontainers.image.ref.name']
  return { directory, tag, root, images, referrers }
}

/** File of a layout's blob. */
export function layoutBlobFile({ directory }: LayoutContent, blob: Descriptor): string {
  return blobFile(directory, blob.digest)
}

async function readContent(directory: string, found: Descriptor): Promise<ManifestContent> {
  const bytes = await readLayoutBlob(directory, found)
  const { mediaType, digest, size } = found
  if (mediaType === mediaTypes.index) return { descriptor: { mediaType, digest, size }, bytes, blobs: [] }
  const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest
  const artifactType = manifest.artifactType ?? manifest.config.mediaType
  const annotations = manifest.annotations
  return {
    descriptor: {
      mediaType,
      digest,
      size,
      ...(manifest.subject && { artifactType, annotations }),
    } as Descriptor,
    bytes,
    blobs: [manifest.config, ...manifest.layers],
    ...(manifest.subject && { subject: manifest.subject }),
  }
}

function indexOf({ bytes }: ManifestContent): Index {
  return JSON.parse(new TextDecoder().decode(bytes)) as Index
}
