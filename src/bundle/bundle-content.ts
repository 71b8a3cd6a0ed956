import type { Definition } from '../definition/definition.ts'
import { profileNames } from '../definition/profile-load.ts'
import type { Image } from '../image/image.ts'
import { describeMaterials } from '../image/sbom.ts'
import { digestOf } from '../lib/digest.ts'
import type { Lockfile } from '../lock/lockfile.ts'
import type { PackedImage } from './describe-image.ts'
import { lockPath, productFolder } from './format.ts'
import { installerDefinition, installerLock } from './installer/build-installer.ts'
import { installScripts } from './installer/install-scripts.ts'
import { productFolder as imageFolder, readProductFiles } from './installer/product-files.ts'
import type { BundleContent, BundleFacts } from './pack-bundle.ts'
import { type PackedFile, textFile } from './packed-file.ts'
import { describeProvenance } from './provenance.ts'
import { readmePage } from './readme-page.ts'

export interface BuiltImages {
  readonly appliance: Image
  readonly installer: Image
}

/** What a bundle of these images holds: the product's files, bills of materials, provenance, and what helps to install it. */
export async function bundleContent(
  definition: Definition,
  lockfile: Lockfile,
  { appliance, installer }: BuiltImages,
  { since, builder }: { readonly since?: BundleContent['since']; readonly builder: string },
): Promise<BundleContent> {
  const { name, version, brand } = definition
  const { platform } = appliance
  const images: PackedImage[] = [
    { role: 'appliance', reference: `${name}:${version}`, image: appliance },
    { role: 'installer', reference: `${name}-installer:${version}`, image: installer },
  ]
  const product = await bundledProduct(definition)
  const lock = digestOf(product.find(({ path }) => path === lockPath)!.bytes)
  const subjects = images.map(({ reference, image }) => ({ name: reference, digest: image.manifest.digest }))
  const { command, vendor, product: title, support } = brand
  const profiles = await profileNames(definition)
  return {
    product: { name, version, command, vendor, product: title, support },
    platform,
    date: lockfile.date,
    images,
    files: [
      ...product,
      json('sbom.spdx.json', describeMaterials(definition, lockfile, platform)),
      json(
        'installer.spdx.json',
        describeMaterials(
          installerDefinition(definition),
          installerLock(definition, lockfile, platform),
          platform,
        ),
      ),
      json(
        'provenance.json',
        describeProvenance(definition, lockfile, platform, subjects, { lock, builder }),
      ),
    ],
    beside: (facts) => filesBeside(facts, profiles),
    ...(since && { since }),
  }
}

/** The product directory as the installer image has it, which a host reads from the bundle instead. */
async function bundledProduct(definition: Definition): Promise<{ path: string; bytes: Uint8Array }[]> {
  const files = await readProductFiles(definition)
  return files.map(({ path, content }) => ({
    path: `${productFolder}${path.slice(imageFolder.length)}`,
    bytes: content!,
  }))
}

async function filesBeside(facts: BundleFacts, profiles: readonly string[]): Promise<PackedFile[]> {
  const { product, installer, ...rest } = facts
  const { command, version, product: title } = product
  const scripts = installer
    ? Object.entries(await installScripts({ ...rest, command, version, product: title, installer }))
    : []
  return [
    textFile('README.md', readmePage(facts, profiles)),
    ...scripts.map(([path, content]) => textFile(path, content)),
  ]
}

function json(path: string, value: unknown): PackedFile {
  return textFile(path, `${JSON.stringify(value, null, 1)}\n`)
}
