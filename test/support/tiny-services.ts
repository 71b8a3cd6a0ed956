import { cp, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { repository } from './slipway.ts'
import { busyboxLayer, writeTinyLayout } from './tiny-layout.ts'

export interface TinyProduct {
  /** The product directory, for `-C`. */
  readonly directory: string
  /** The layout of its image. */
  readonly layout: string
}

/** A service that stays up and does nothing; `more` are further lines of it. */
export function keeperService(...more: readonly string[]): string {
  const lines = [
    'image: tiny',
    'init: true',
    'stop_grace_period: 1s',
    'command: ["/bin/busybox", "sleep", "100000"]',
    ...more,
  ]
  return ['  keeper:', ...lines.map((line) => `    ${line}`)].join('\n')
}

/**
 * Writes a product directory of busybox services, and the layout of its image, below `folder`: everything that the
 * command line's host verbs read, in a second. `services` is what stands under that key of the Compose file, `rest`
 * what follows; `files` go into the image's upper layer.
 */
export async function writeTinyProduct(
  folder: string,
  product: {
    readonly name: string
    readonly version?: string
    readonly services: string
    readonly rest?: string
    readonly profile?: string
    readonly files?: Readonly<Record<string, string>>
  },
): Promise<TinyProduct> {
  const { name, version = '1.0.0' } = product
  const directory = path.join(folder, `product-${version}`)
  const layout = path.join(folder, `layout-${version}`)
  const put = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(directory, file)), { recursive: true })
    await writeFile(path.join(directory, file), text)
  }
  await put(
    'appliance.yaml',
    [
      `name: ${name}`,
      `version: ${version}`,
      'debian: { suite: trixie, keyrings: [images/keyrings/debian-13.asc] }',
      'layers: [base, brand]',
      'brand: { vendor: Tiny, product: Tiny, command: tiny, support: nobody }',
      '',
    ].join('\n'),
  )
  for (const component of ['base', 'brand']) {
    await put(`images/${component}/component.yaml`, `description: Nothing\nlayer: ${component}\n`)
  }
  await cp(path.join(repository, 'images', 'keyrings'), path.join(directory, 'images', 'keyrings'), {
    recursive: true,
  })
  await put('compose/appliance.yaml', `services:\n${product.services}\n${product.rest ?? ''}`)
  await put('profiles/tiny.yaml', product.profile ?? 'description: Tiny\n')
  const labels = { 'io.slipway.product': name, 'io.slipway.release': version }
  const upper = { 'etc/product': `${name} ${version}\n`, ...product.files }
  await writeTinyLayout(layout, [await busyboxLayer(), upper], labels)
  return { directory, layout }
}
