import type { Definition } from '../definition/definition.ts'
import { localSuite } from '../definition/sources/source.ts'
import { sha256Hex } from '../lib/digest.ts'
import type { Platform } from '../lib/platform.ts'
import type { LockedPackage, LockedSource, Lockfile } from '../lock/lockfile.ts'
import { describe, jsonBlob } from './blob.ts'
import type { Image } from './image.ts'
import { type Manifest, mediaTypes } from './oci.ts'
import type { Referrer } from './write-layout.ts'

/**
 * The bill of materials of one platform as an SPDX 2.3 document (JSON): every locked package with its version, hash,
 * source and package URL; what `exclude` dropped stands in the document's comment with its reason. The time is the
 * lock's, so that the same lock gives the same document.
 */
export function describeMaterials(definition: Definition, lockfile: Lockfile, platform: Platform): unknown {
  const { packages, excluded, sources = [] } = lockfile.platforms[platform]!
  const root = 'SPDXRef-Appliance'
  const identity = sha256Hex(JSON.stringify([definition.name, definition.version, platform, lockfile]))
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${definition.name}-${definition.version}-${platform.replace('/', '-')}`,
    documentNamespace: `urn:slipway:${definition.name}:${definition.version}:${identity}`,
    creationInfo: { created: lockfile.date, creators: ['Tool: slipway'] },
    ...(excluded.length > 0 && {
      comment: `Left out on purpose. ${excluded.map((entry) => `${entry.name} ${entry.version} (needed by ${entry.neededBy.join(', ')}): ${entry.reason}`).join(' ')}`,
    }),
    documentDescribes: [root],
    packages: [
      {
        SPDXID: root,
        name: definition.name,
        versionInfo: definition.version,
        supplier: `Organization: ${definition.brand.vendor}`,
        downloadLocation: 'NOASSERTION',
        filesAnalyzed: false,
        primaryPackagePurpose: 'CONTAINER',
      },
      ...packages.map((entry) => describePackage(definition, entry)),
      ...sources.map(describeSource),
    ],
    relationships: [...packages.map(packageId), ...sources.map(sourceId)].map((id) => ({
      spdxElementId: root,
      relationshipType: 'CONTAINS',
      relatedSpdxElement: id,
    })),
  }
}

function describePackage(definition: Definition, entry: LockedPackage): unknown {
  return {
    SPDXID: packageId(entry),
    name: entry.name,
    versionInfo: entry.version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    packageFileName: entry.path,
    checksums: [{ algorithm: 'SHA256', checksumValue: entry.sha256 }],
    sourceInfo: `built from source package ${entry.source} ${entry.sourceVersion}, suite ${entry.suite}, layer ${entry.layer}`,
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: packageUrl(definition, entry),
      },
    ],
  }
}

/** A folder or tar archive of the product's own: known by its path and hash alone. */
function describeSource(source: LockedSource): unknown {
  return {
    SPDXID: sourceId(source),
    name: source.path,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    packageFileName: source.path,
    checksums: [{ algorithm: 'SHA256', checksumValue: source.sha256 }],
    sourceInfo:
      source.kind === 'tarball'
        ? `a tar archive of the component ${source.component}, layer ${source.layer}`
        : `a folder of the component ${source.component}, layer ${source.layer}; the checksum is of its paths, modes and files`,
  }
}

function sourceId({ component, path }: LockedSource): string {
  return `SPDXRef-Source-${component}-${path.replace(/[^a-zA-Z0-9.-]/g, '-')}`
}

/**
 * Package URL of a Debian binary package (purl-spec, "deb"). A local package is its vendor's, and no distribution's: its
 * namespace is the product's name.
 */
export function packageUrl(definition: Definition, entry: LockedPackage): string {
  const version = encodeURIComponent(entry.version).replaceAll('%3A', ':')
  if (entry.suite === localSuite)
    return `pkg:deb/${definition.name}/${encodeURIComponent(entry.name)}@${version}?arch=${entry.architecture}`
  return `pkg:deb/debian/${encodeURIComponent(entry.name)}@${version}?arch=${entry.architecture}&distro=${definition.debian.suite}`
}

function packageId(entry: LockedPackage): string {
  return `SPDXRef-Package-${entry.name.replace(/[^a-zA-Z0-9.-]/g, '-')}`
}

/** The bill as an artifact that refers to its image (OCI image-spec 1.1, manifest.md, "subject"). */
export function attachMaterials(image: Image, materials: unknown): Referrer {
  const sbom = jsonBlob(materials)
  const empty = { ...jsonBlob({}) }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: mediaTypes.spdx,
    config: describe(mediaTypes.empty, empty),
    layers: [describe(mediaTypes.spdx, sbom)],
    subject: describe(mediaTypes.manifest, image.manifest),
  }
  return { manifest: jsonBlob(manifest), artifactType: mediaTypes.spdx, blobs: [empty, sbom] }
}
