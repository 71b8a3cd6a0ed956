import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ArchiveServer } from './archive-server.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import { slipway } from './slipway.ts'
import { makeArchive, makeKey, type TinyKey } from './tiny-archive.ts'
import type { TinyPackage } from './tiny-deb.ts'

let signer: Promise<TinyKey> | undefined

/** A product of one platform with an archive of its own: everything that the builder's commands need, and no more. */
export class TinyProduct {
  readonly scratch: Scratch
  readonly directory: string
  readonly server: ArchiveServer
  readonly env: NodeJS.ProcessEnv
  readonly #key: TinyKey

  private constructor(scratch: Scratch, server: ArchiveServer, key: TinyKey) {
    this.scratch = scratch
    this.directory = path.join(scratch.path, 'product')
    this.server = server
    this.env = { SLIPWAY_CACHE: path.join(scratch.path, 'cache') }
    this.#key = key
  }

  /** Asks for the package `app`; `packages` is what the archive has. */
  static async create(packages: readonly TinyPackage[]): Promise<TinyProduct> {
    signer ??= makeKey('Tiny Archive')
    const product = new TinyProduct(
      await makeScratch('tiny-product'),
      await ArchiveServer.start(),
      await signer,
    )
    await product.publish(packages)
    await product.write({
      'appliance.yaml': product.appliance,
      'key.asc': product.#key.armored,
      'compose/appliance.yaml': 'services:\n  app:\n    image: tiny\n',
      'profiles/site.yaml': 'description: A site\n',
      'images/base/component.yaml': 'essential: true\n',
      'images/app/component.yaml': 'packages: [app]\n',
    })
    return product
  }

  /** The text of appliance.yaml, to change and write. */
  get appliance(): string {
    return `name: tiny
version: 1.0.0
debian:
  suite: trixie
  updates: false
  security: false
  keyrings: [key.asc]
  mirror: ${this.server.url}
platforms: [linux/amd64]
layers: [base, app, brand]
brand: { vendor: Tiny, product: Tiny, command: tiny, support: nobody }
`
  }

  async publish(packages: readonly TinyPackage[]): Promise<void> {
    const suites = [{ codename: 'trixie', packages, validUntil: null, architectures: ['amd64'] }]
    const { files } = await makeArchive(suites, [this.#key])
    for (const [name, data] of files) this.server.files.set(name, data)
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.directory, ...name.split('/'))
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, text)
    }
  }

  /** Types a command in the product directory: its exit code, and the last line of what it says is wrong. */
  async type(...parameters: readonly string[]): Promise<{ exitCode: number | undefined; said: string }> {
    const { exitCode, stderr } = await slipway(parameters, { cwd: this.directory, env: this.env })
    return { exitCode, said: String(stderr).trim().split('\n').at(-1) ?? '' }
  }

  /** What a failed command must not leave: the lock, the layout, a vendor folder, unfinished files anywhere. */
  async traces(): Promise<string[]> {
    const names = await readdir(this.scratch.path, { recursive: true })
    return names
      .map((name) => name.split(path.sep).join('/'))
      .filter((name) => /^product\/(appliance\.lock|build|vendor)|\.tmp$/.test(name))
      .sort()
  }

  async remove(): Promise<void> {
    await this.server.close()
    await this.scratch.remove()
  }
}
