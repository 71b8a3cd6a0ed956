import { rmSync } from 'node:fs'
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openBundle } from '../../../src/bundle/open-bundle.ts'
import { packBundle } from '../../../src/bundle/pack-bundle.ts'
import { type WrittenFile, writeBundle } from '../../../src/bundle/write-bundle.ts'
import { sha256Hex } from '../../../src/lib/digest.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { silent } from '../../../src/lib/progress.ts'
import { again, refusalOf } from '../../support/refusal.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { tinyContent, tinyKey, tinyKeyId, tinyPublicKey } from '../../support/tiny-bundle.ts'

const name = 'tiny-1.0.0-linux-amd64.tar'
const size = 64 << 10
const noise = Array.from({ length: 40_000 }, (_, index) => Math.imul(index + 7, 2654435761) >>> 0).join(' ')
let scratch: Scratch
let folder: string
let parts: string[]
let written: WrittenFile[]

beforeAll(async () => {
  scratch = await makeScratch('parts')
  const content = await tinyContent(scratch.path, { base: [{ path: 'noise', content: noise }] })
  const bundle = await packBundle(content, tinyKey)
  written = await writeBundle(path.join(scratch.path, 'made'), bundle, { split: size, report: silent })
  parts = written.slice(0, -1).map((file) => file.name)
})
afterAll(() => scratch.remove())

beforeEach(async () => {
  folder = path.join(scratch.path, 'used')
  await rm(folder, { recursive: true, force: true })
  await cp(path.join(scratch.path, 'made'), folder, { recursive: true })
})

async function opened(file: string): Promise<string | undefined> {
  const bundle = await openBundle(path.join(folder, file), { keys: [tinyPublicKey] })
  await bundle.close()
  return bundle.key
}

function refusal(file: string): Promise<[string, string]> {
  return refusalOf(path.join(folder, file), { keys: [tinyPublicKey] })
}

describe('a bundle in parts', () => {
  it('is numbered, listed, and never larger than was asked', async () => {
    const names = (await readdir(folder)).sort()
    expect(parts.length).toBeGreaterThan(2)
    expect(parts).toEqual(parts.map((_, index) => `${name}.00${index + 1}`))
    expect(names).toEqual([...parts, `${name}.parts`].sort())
    const sizes = await Promise.all(
      parts.map(async (part) => (await readFile(path.join(folder, part))).length),
    )
    expect(sizes.slice(0, -1).every((one) => one === size)).toBe(true)
  })

  it('is described with its list, so that the checksums beside it name all that lies there', async () => {
    const list = await readFile(path.join(folder, `${name}.parts`))
    expect(written.at(-1)).toEqual({ name: `${name}.parts`, size: list.length, sha256: sha256Hex(list) })
  })

  it('opens by what its parts begin with, by each part, and by their list', async () => {
    for (const file of [name, parts[0]!, parts.at(-1)!, `${name}.parts`])
      expect(await opened(file)).toBe(tinyKeyId)
  })

  it('is the same file when its parts are joined by hand', async () => {
    const joined = await Promise.all(parts.map((part) => readFile(path.join(folder, part))))
    await writeFile(path.join(folder, 'joined.tar'), Buffer.concat(joined))
    expect(await opened('joined.tar')).toBe(tinyKeyId)
  })

  it('names the part that is missing', async () => {
    for (const part of [parts[1]!, parts[0]!]) {
      await rm(path.join(folder, part))
      expect(await refusal(name)).toEqual([
        'missing-part',
        `${name} is in ${parts.length} parts, and ${part} is missing; put all of them into one folder and run the same command again.`,
      ])
    }
  })

  it('says that their list is missing', async () => {
    await rm(path.join(folder, `${name}.parts`))
    for (const file of [parts[0]!, name])
      expect(await refusal(file)).toEqual([
        'missing-part',
        `There is no ${name}.parts beside the parts, which lists them; put all files of the bundle into one folder and run the same command again.`,
      ])
  })

  it('tells parts that changed places', async () => {
    await rename(path.join(folder, parts[0]!), path.join(folder, 'kept'))
    await rename(path.join(folder, parts[1]!), path.join(folder, parts[0]!))
    await rename(path.join(folder, 'kept'), path.join(folder, parts[1]!))
    expect(await refusal(name)).toEqual([
      'foreign-part',
      `${name} is refused: the file ${name}.001 is the part ${name}.002; give them their own names. ${again}`,
    ])
  })

  it('tells a part of another bundle', async () => {
    await writeFile(path.join(folder, parts[1]!), Buffer.alloc(size, 'x'))
    expect(await refusal(parts[0]!)).toEqual([
      'foreign-part',
      `${name} is refused: the file ${name}.002 is not that part of it, or is damaged. ${again}`,
    ])
  })

  it('tells a part that is cut off', async () => {
    await writeFile(path.join(folder, parts[1]!), Buffer.alloc(100))
    expect(await refusal(name)).toEqual([
      'foreign-part',
      `${name} is refused: its part ${name}.002 has 100 bytes, and ${name}.parts says ${size}. ${again}`,
    ])
  })

  it('says that its medium went away while it was read', async () => {
    const keys = [tinyPublicKey]
    const report = () => rmSync(path.join(folder, parts[1]!), { force: true })
    expect(await refusalOf(path.join(folder, name), { keys, report })).toEqual([
      'lost-bundle',
      `${name} can no longer be read (ENOENT); put its medium back in, or copy it to a disk of this host, then run the same command again.`,
    ])
  })

  it('at Ctrl-C says that, and not how its reading was ended', async () => {
    const interrupted = new AbortController()
    const reason = new SlipwayError('interrupted', 'Interrupted.')
    const options = {
      keys: [tinyPublicKey],
      signal: interrupted.signal,
      report: () => interrupted.abort(reason),
    }
    await expect(openBundle(path.join(folder, name), options)).rejects.toBe(reason)
  })

  it('does not take a list that leads elsewhere', async () => {
    const list = path.join(folder, `${name}.parts`)
    const text = await readFile(list, 'utf8')
    await writeFile(list, text.replaceAll(`${name}.001`, '../../etc/shadow'))
    expect(await refusal(name)).toEqual([
      'bad-bundle',
      `${name}.parts is refused: it is no list of a bundle's parts: parts[0].name is "../../etc/shadow", not a file name. ${again}`,
    ])
  })

  it.each([
    ['is no list', () => 'nonsense', "it is no list of a bundle's parts: it is not JSON"],
    [
      'is of another format',
      (list: string) => list.replace('"format": 1', '"format": 2'),
      "it is no list of a bundle's parts: format is 2, not 1",
    ],
    [
      'counts otherwise',
      (list: string) => list.replace(`${name}.001`, `${name}.000`),
      "it is no list of a bundle's parts: its parts are not numbered from 001",
    ],
    [
      'is too long to be one',
      (list: string) => list + ' '.repeat(8 << 20),
      "it is larger than any list of a bundle's parts",
    ],
  ])('does not take a list that %s', async (_, change, reason) => {
    const list = path.join(folder, `${name}.parts`)
    await writeFile(list, change(await readFile(list, 'utf8')))
    expect(await refusal(name)).toEqual(['bad-bundle', `${name}.parts is refused: ${reason}. ${again}`])
  })

  it('that is not written to its end leaves neither parts nor the folder that was made for it', async () => {
    const bundle = await packBundle(await tinyContent(scratch.path), tinyKey)
    const broken = async function* () {
      yield Buffer.alloc(2 * size)
      throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    }
    const before = (await readdir(folder)).sort()
    const made = path.join(folder, 'new', 'delivery')
    for (const place of [folder, made])
      await expect(
        writeBundle(place, { ...bundle, bytes: broken }, { split: size, report: silent }),
      ).rejects.toMatchObject({ code: 'disk-full' })
    expect((await readdir(folder)).sort()).toEqual(before)
  })

  it('takes the place of one that was in more parts, and of the whole', async () => {
    const bundle = await packBundle(await tinyContent(scratch.path), tinyKey)
    await writeFile(path.join(folder, name), 'old')
    await writeBundle(folder, bundle, { split: size, report: silent })
    expect((await readdir(folder)).sort()).toEqual([`${name}.001`, `${name}.parts`])
    await writeBundle(folder, bundle, { report: silent })
    expect(await readdir(folder)).toEqual([name])
    expect(await opened(name)).toBe(tinyKeyId)
  })

  it.each([[1000, `--split 1000 is less than ${size} bytes; say what the medium holds, such as 700m.`]])(
    'is not cut into crumbs',
    async (split, sentence) => {
      const bundle = await packBundle(await tinyContent(scratch.path), tinyKey)
      await expect(writeBundle(folder, bundle, { split, report: silent })).rejects.toThrow(sentence)
    },
  )
})
