import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadDefinition } from '../../src/definition/load.ts'
import { compileOmit } from '../../src/image/omit.ts'
import { globPattern } from '../../src/lib/glob.ts'
import type { Lockfile } from '../../src/lock/lockfile.ts'
import { builtImage, unpackImage } from '../support/built-image.ts'
import { debootstrap } from '../support/debootstrapped.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { compareTrees, type PathFacts, readTree } from '../support/tree-facts.ts'

interface Reviewed {
  readonly path: string
  readonly differs: string
  readonly reason: string
}

let scratch: Scratch
let rootfs: string
let judge: string
let ours: Map<string, PathFacts>
let theirs: Map<string, PathFacts>
let reviewed: Reviewed[]
let isOmitted: (path: string) => boolean

beforeAll(async () => {
  const { layoutDirectory, lockFile, cacheDirectory, productDirectory } = builtImage()
  scratch = await makeScratch('mmdebstrap')
  const lock: Lockfile = JSON.parse(await readFile(lockFile, 'utf8'))
  const index = JSON.parse(await readFile(path.join(layoutDirectory, 'index.json'), 'utf8'))
  const release = index.manifests[0].annotations['org.opencontainers.image.ref.name']
  rootfs = await unpackImage(layoutDirectory, `${release}-amd64`, path.join(scratch.path, 'rootfs'))
  const { omit, components } = await loadDefinition(productDirectory)
  isOmitted = compileOmit(omit)
  judge = await debootstrap({
    scratch: scratch.path,
    debs: path.join(cacheDirectory, 'debs'),
    locked: lock.platforms['linux/amd64']!,
    omit,
    userIds: new Map(components.flatMap(({ users }) => users.map(({ name, uid }) => [name, uid]))),
  })
  ours = await readTree(rootfs)
  theirs = await readTree(judge)
  reviewed = parse(await readFile(new URL('mmdebstrap-differences.yaml', import.meta.url), 'utf8'))
})
afterAll(() => scratch.remove())

describe('the image beside what mmdebstrap makes of the same packages', () => {
  it('differs only as the reviewed list says, and every line of the list is needed', () => {
    const lines = reviewed.map((line) => ({ ...line, pattern: globPattern(line.path), used: false }))
    const unexplained: string[] = []
    for (const [name, differs] of compareTrees(theirs, ours)) {
      const line = lines.find((candidate) => candidate.differs === differs && candidate.pattern.test(name))
      if (line) line.used = true
      else unexplained.push(`${name}: ${differs}`)
    }
    const stale = lines.filter((line) => !line.used).map((line) => line.path)
    expect({ unexplained, stale }).toEqual({ unexplained: [], stale: [] })
  })

  it('is reviewed line by line: each has a reason, and no glob is wider than one folder', () => {
    const wide = reviewed.filter((line) => /\*\*|[*?].*\//.test(line.path))
    const silent = reviewed.filter((line) => line.reason.length < 10)
    expect({ wide, silent }).toEqual({ wide: [], silent: [] })
  })

  it('has the same dpkg status, to the byte', async () => {
    const read = (root: string) => readFile(path.join(root, 'var/lib/dpkg/status'), 'utf8')
    expect(await read(rootfs)).toBe(await read(judge))
  })

  it('has the same diversions', async () => {
    const read = async (root: string) => {
      const lines = (await readFile(path.join(root, 'var/lib/dpkg/diversions'), 'utf8')).split('\n')
      return Array.from({ length: Math.floor(lines.length / 3) }, (_, index) =>
        lines.slice(index * 3, index * 3 + 3).join(' '),
      ).sort()
    }
    expect(await read(rootfs)).toEqual(await read(judge))
  })

  it('lists the files and sums of every package, but for those that the definition omits', async () => {
    const read = async (root: string) => {
      const folder = path.join(root, 'var/lib/dpkg/info')
      const lists = new Map<string, string[]>()
      for (const name of (await readdir(folder)).filter((entry) => /\.(list|md5sums)$/.test(entry)).sort()) {
        const lines = (await readFile(path.join(folder, name), 'utf8')).split('\n')
        const pathOf = (line: string) => (name.endsWith('.list') ? line.slice(1) : line.slice(34))
        lists.set(
          name,
          lines.filter((line) => !isOmitted(pathOf(line))),
        )
      }
      return lists
    }
    expect(await read(rootfs)).toEqual(await read(judge))
  })
})
