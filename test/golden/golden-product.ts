import { cp, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { run as build } from '../../src/cli/build.ts'
import type { Context } from '../../src/cli/context.ts'
import { run as lock } from '../../src/cli/lock.ts'
import { sha256Hex } from '../../src/lib/digest.ts'
import { silent } from '../../src/lib/progress.ts'
import { ArchiveServer } from '../support/archive-server.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { makeArchive, makeKey, type TinyKey } from '../support/tiny-archive.ts'
import { goldenSuites } from './golden-packages.ts'

const source = fileURLToPath(new URL('product', import.meta.url))

/** A copy of test/golden/product with an archive of its own to lock and build it from. */
export class GoldenProduct {
  readonly directory: string
  readonly env: NodeJS.ProcessEnv
  readonly #scratch: Scratch
  readonly #server: ArchiveServer
  readonly #key: TinyKey

  private constructor(scratch: Scratch, server: ArchiveServer, key: TinyKey) {
    this.directory = path.join(scratch.path, 'product')
    this.env = {
      SLIPWAY_CACHE: path.join(scratch.path, 'cache'),
      SLIPWAY_MIRROR: server.url,
      SLIPWAY_SECURITY_MIRROR: server.url,
    }
    this.#scratch = scratch
    this.#server = server
    this.#key = key
  }

  static async create(): Promise<GoldenProduct> {
    const scratch = await makeScratch('golden')
    const product = new GoldenProduct(scratch, await ArchiveServer.start(), await makeKey('Tiny Archive'))
    await cp(source, product.directory, { recursive: true })
    await writeFile(path.join(product.directory, 'archive-key.asc'), product.#key.armored)
    return product
  }

  /**
   * Locks against the archive, with the later tinyd or without. Key and signatures are new in every run: in the lock
   * that is written, placeholders take the place of their digests, so that what is made from it is always the same.
   */
  async lock(later = false): Promise<string> {
    const { files } = await makeArchive(goldenSuites(later), [this.#key])
    for (const [name, data] of files) this.#server.files.set(name, data)
    await lock(this.#context(), { directory: '.', ...(later ? { update: ['tinyd'] } : {}) })
    const file = path.join(this.directory, 'appliance.lock')
    const text = this.#withoutKey(await readFile(file, 'utf8'), files)
    await writeFile(file, text)
    return text
  }

  async build(out = 'build'): Promise<void> {
    await build(this.#context(), { directory: '.', out })
  }

  async edit(name: string, change: (text: string) => string): Promise<void> {
    const file = path.join(this.directory, name)
    await writeFile(file, change(await readFile(file, 'utf8')))
  }

  async remove(): Promise<void> {
    await this.#server.close()
    await this.#scratch.remove()
  }

  /** Takes out only what belongs there: a wrong digest or fingerprint stays, and differs from the golden file. */
  #withoutKey(lockText: string, files: ReadonlyMap<string, Buffer>): string {
    const signed = [...files].filter(([name]) => name.endsWith('/InRelease'))
    return signed
      .reduce(
        (text, [, inRelease], index) => text.replaceAll(sha256Hex(inRelease), String(index + 1).repeat(64)),
        lockText,
      )
      .replaceAll(this.#key.fingerprint, 'F'.repeat(40))
  }

  #context(): Context {
    return {
      cwd: this.directory,
      env: this.env,
      print: () => {},
      report: silent,
      interactive: false,
      color: false,
      signal: new AbortController().signal,
    }
  }
}
