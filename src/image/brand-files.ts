import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Brand, Definition } from '../definition/definition.ts'
import type { OverlayFile } from '../definition/overlay.ts'

/** What a brand is put on. */
export type Branded = Pick<Definition, 'name' | 'version'> & { readonly brand: Brand }

/** Where the files of a brand are in an image: nothing else is rewritten when the brand changes. */
export const brandPaths = {
  banner: 'etc/motd',
  identity: 'usr/share/slipway/brand.json',
  logo: (file: string) => `usr/share/slipway/logo${path.extname(file)}`,
} as const

/** The brand as files of the image: for programs, for pages, and as the message of the day. */
export async function readBrandFiles({ name, version, brand }: Branded): Promise<OverlayFile[]> {
  const { banner, logo, ...plain } = brand
  const identity = {
    ...plain,
    ...(logo !== undefined && { logo: path.posix.basename(brandPaths.logo(logo)) }),
    name,
    version,
  }
  const file = (at: string, content: string | Uint8Array): OverlayFile => ({
    path: at,
    mode: 0o644,
    content: Buffer.from(content),
  })
  return [
    ...(banner ? [file(brandPaths.banner, banner.endsWith('\n') ? banner : `${banner}\n`)] : []),
    file(brandPaths.identity, `${JSON.stringify(identity, null, 2)}\n`),
    ...(logo === undefined ? [] : [file(brandPaths.logo(logo), await readFile(logo))]),
  ]
}
