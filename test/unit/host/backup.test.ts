import { createHash, randomBytes } from 'node:crypto'
import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entryJudge } from '../../../src/host/backup/check-entries.ts'
import type { BackupArchive, BackupHeader } from '../../../src/host/backup/format.ts'
import { cutParts } from '../../../src/host/backup/parts.ts'
import { openBackup } from '../../../src/host/backup/read-backup.ts'
import { writeBackup } from '../../../src/host/backup/write-backup.ts'
import type { SlipwayError } from '../../../src/lib/errors.ts'
import { silent } from '../../../src/lib/progress.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await makeScratch('backup')
})
afterAll(() => scratch.remove())

const cache: BackupArchive = { type: 'volume', of: 'cache', holds: 'cache' }
const changed: BackupArchive = { type: 'configuration', of: 'dns', paths: ['/etc/appliance/dnsmasq.conf'] }
const header: BackupHeader = {
  kind: 'slipway-backup',
  format: 1,
  name: 'branch-7',
  product: 'acme',
  release: '1.0.0',
  images: ['sha256:a'],
  profile: 'branch',
  settings: { 'dns.port': '1053' },
  created: '2026-01-02T03:04:05.000Z',
  archives: [cache, changed],
}
const big = randomBytes(9 * 1024 * 1024)

type Entry = readonly [Partial<Header> & { name: string }, (Buffer | string)?]

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const [head, content] of entries) tar.entry(head, content ?? '')
  tar.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of tar as AsyncIterable<Uint8Array>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* pieces(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function whole(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

async function write(name: string): Promise<{ file: string; tars: Map<BackupArchive, Buffer> }> {
  const file = path.join(scratch.path, name)
  const tars = new Map([
    [cache, await tarOf([[{ name: './', type: 'directory' }], [{ name: './object' }, big]])],
    [changed, await tarOf([[{ name: 'etc/appliance/dnsmasq.conf' }, 'cache-size=9\n']])],
  ])
  await writeBackup(file, header, async (archive) => pieces(tars.get(archive)!), silent)
  return { file, tars }
}

async function refusal(file: string): Promise<Pick<SlipwayError, 'code' | 'exitCode' | 'message'>> {
  const error = await openBackup(file).then(
    () => undefined,
    (thrown: SlipwayError) => thrown,
  )
  if (!error) throw new Error('It was not refused.')
  return { code: error.code, exitCode: error.exitCode, message: error.message.replace(file, 'FILE') }
}

const next = 'nothing was changed. Take another copy, or make a new one with `slipway backup`.'

/** A backup written by somebody else: any members, with a manifest that fits them. */
async function forge(name: string, members: readonly Entry[], manifest = true): Promise<string> {
  const file = path.join(scratch.path, name)
  const listed = members.map(([{ name: member }, content = '']) => ({
    name: member,
    size: Buffer.byteLength(content),
    sha256: createHash('sha256').update(content).digest('hex'),
  }))
  const last: Entry[] = manifest ? [[{ name: 'manifest.json' }, JSON.stringify({ members: listed })]] : []
  await writeFile(file, gzipSync(await tarOf([...members, ...last])))
  return file
}

const head = (over: object = {}): Entry => [{ name: 'backup.json' }, JSON.stringify({ ...header, ...over })]

describe('a backup file', () => {
  it('gives back its header and every archive byte for byte', async () => {
    const { file, tars } = await write('good.tgz')
    const backup = await openBackup(file)
    expect(backup.header).toEqual(header)
    for (const archive of header.archives)
      expect((await whole(backup.open(archive))).equals(tars.get(archive)!)).toBe(true)
    expect(backup.manifest.members.map(({ name }) => name)).toEqual([
      'backup.json',
      'volumes/cache.tar.000001',
      'volumes/cache.tar.000002',
      'volumes/cache.tar.000003',
      'configuration/dns.tar.000001',
    ])
  })

  it('of many parts is read without a word of the runtime', async () => {
    const words: string[] = []
    const listen = ({ message }: Error): number => words.push(message)
    process.on('warning', listen)
    const file = path.join(scratch.path, 'many-parts')
    const tar = await tarOf([[{ name: './big' }, Buffer.alloc(52_000_000)]])
    await writeBackup(file, { ...header, archives: [cache] }, async () => pieces(tar), silent)
    expect((await openBackup(file)).manifest.members.length).toBeGreaterThan(12)
    await new Promise(setImmediate)
    process.off('warning', listen)
    expect(words).toEqual([])
  })

  it('that fails while it is written leaves the former one, and nothing beside it', async () => {
    const folder = path.join(scratch.path, 'former')
    const file = path.join(folder, 'b.tgz')
    await writeBackup(file, { ...header, archives: [] }, async () => pieces(big), silent)
    const before = await readFile(file)
    const broken = async function* () {
      yield big.subarray(0, 512)
      throw new Error('the Engine went away')
    }
    await expect(writeBackup(file, header, async () => broken(), silent)).rejects.toThrow()
    expect(await readdir(folder)).toEqual(['b.tgz'])
    expect((await readFile(file)).equals(before)).toBe(true)
  })

  it('of a large volume takes no more memory the longer it is written', async () => {
    setFlagsFromString('--expose-gc')
    const heap = (): number => {
      runInNewContext('gc')()
      return process.memoryUsage().heapUsed
    }
    const size = 256 * 1024 * 1024
    const tar = pack()
    tar.entry({ name: 'big', size })
    const start = await whole(
      pieces(
        await tar[Symbol.asyncIterator]()
          .next()
          .then(({ value }) => value),
      ),
    )
    let grown = 0
    const volume = async function* (): AsyncGenerator<Uint8Array> {
      yield start
      const before = heap()
      const chunk = Buffer.alloc(16 * 1024)
      for (let at = 0; at < size; at += chunk.length) yield chunk
      grown = heap() - before
      yield Buffer.alloc(1024)
    }
    const file = path.join(scratch.path, 'large.tgz')
    await writeBackup(file, { ...header, archives: [cache] }, async () => volume(), silent)
    expect(grown).toBeLessThan(2 * 1024 * 1024)
  })

  it('is not written with what its restore would refuse', async () => {
    const tar = await tarOf([[{ name: 'out', type: 'symlink', linkname: '/etc/passwd' }]])
    await expect(
      writeBackup(path.join(scratch.path, 'never.tgz'), header, async () => pieces(tar), silent),
    ).rejects.toThrow(
      'The volume cache cannot be backed up: it holds the link out to /etc/passwd, which leads out of it, which no restore accepts; remove that in the container, then run the same command again.',
    )
  })

  it('is not written where the Engine gives half a tar', async () => {
    const tar = await tarOf([[{ name: 'object' }, big]])
    const file = path.join(scratch.path, 'half-read.tgz')
    const half = pieces(tar.subarray(0, 1_000_000))
    await expect(writeBackup(file, header, async () => half, silent)).rejects.toThrow(
      'The volume cache was cut off while it was read, perhaps because a file in it shrank; nothing was written. Run the same command again.',
    )
    await expect(readFile(file)).rejects.toThrow('ENOENT')
  })

  it('is refused wherever it was cut off', async () => {
    const { file } = await write('cut.tgz')
    const { length } = await readFile(file)
    for (const keep of [length - 1, length - 9, Math.floor(length / 2), 100, 11]) {
      await truncate(file, keep)
      expect(await refusal(file)).toEqual({
        code: 'damaged-backup',
        exitCode: 2,
        message: `FILE is damaged or no backup: it ends early; ${next}`,
      })
    }
  })

  it('with zeros behind it, as a medium may add them, is the same backup', async () => {
    for (const zeros of [512, 1 << 20]) {
      const { file } = await write('padded.tgz')
      const good = await openBackup(file)
      await appendFile(file, Buffer.alloc(zeros))
      expect((await openBackup(file)).manifest).toEqual(good.manifest)
    }
  })

  it('is refused with any bit changed', async () => {
    const { file } = await write('flip.tgz')
    const good = await readFile(file)
    for (let index = 0; index < 20; index++) {
      const bytes = Buffer.from(good)
      // The gzip header's time, flags and system (bytes 4 to 9) mean nothing for the content.
      const at = 10 + Math.floor(((good.length - 11) * index) / 20)
      bytes[at] = bytes[at]! ^ 0x10
      await writeFile(file, bytes)
      expect((await refusal(file)).code).toBe('damaged-backup')
    }
  })

  it('of a later format is refused by name', async () => {
    expect(await refusal(await forge('newer.tgz', [head({ format: 2 })]))).toEqual({
      code: 'newer-backup',
      exitCode: 2,
      message:
        'FILE was written by a newer Slipway (backup format 2, and this one reads 1); nothing was changed. Restore it with that Slipway.',
    })
  })

  it('that is something else is refused', async () => {
    const file = path.join(scratch.path, 'text.tgz')
    await writeFile(file, 'not a backup at all')
    expect((await refusal(file)).message).toBe(`FILE is damaged or no backup: it is no gzip file; ${next}`)
    await writeFile(file, '')
    expect((await refusal(file)).message).toBe(`FILE is damaged or no backup: it ends early; ${next}`)
    const other = await forge('other.tgz', [[{ name: 'readme' }, 'hello']])
    expect((await refusal(other)).message).toBe(
      `FILE is damaged or no backup: it does not begin with backup.json; ${next}`,
    )
    expect((await refusal(path.join(scratch.path, 'none.tgz'))).message).toBe(
      'There is no file FILE; name a backup that `slipway backup` wrote.',
    )
  })

  it('whose parts are missing, in another order, or not announced is refused', async () => {
    const inner = await tarOf([[{ name: 'object' }, big.subarray(0, 1000)]])
    const part = (name: string, content: Buffer = inner): Entry => [{ name }, content]
    const none = await forge('none-announced.tgz', [head({ archives: [] }), part('volumes/cache.tar.000001')])
    expect((await refusal(none)).message).toBe(
      `FILE is damaged or no backup: it holds "volumes/cache.tar.000001", which does not belong there; ${next}`,
    )
    const second = await forge('second.tgz', [head(), part('volumes/cache.tar.000002')])
    expect((await refusal(second)).message).toContain('it holds "volumes/cache.tar.000002", which does not')
    const half = await forge('half.tgz', [head(), part('volumes/cache.tar.000001', inner.subarray(0, 700))])
    expect((await refusal(half)).message).toBe(
      `FILE is damaged or no backup: volumes/cache.tar is no whole tar; ${next}`,
    )
    const unlisted = await forge('unlisted.tgz', [head(), part('volumes/cache.tar.000001')], false)
    expect((await refusal(unlisted)).message).toBe(`FILE is damaged or no backup: it ends early; ${next}`)
    const after = await forge('after.tgz', [head(), [{ name: 'manifest.json' }, '{"members":[]}'], part('x')])
    expect((await refusal(after)).message).toBe(
      `FILE is damaged or no backup: something follows manifest.json; ${next}`,
    )
  })

  it('that fits its gzip and not its manifest is refused', async () => {
    const inner = await tarOf([[{ name: 'object' }, 'x']])
    const members: Entry[] = [head({ archives: [cache] }), [{ name: 'volumes/cache.tar.000001' }, inner]]
    const listed = members.map(([{ name }, content = '']) => ({
      name,
      size: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
    }))
    const [first, part] = [listed[0]!, listed[1]!]
    const named = async (...said: object[]): Promise<string> => {
      const manifest: Entry = [{ name: 'manifest.json' }, JSON.stringify({ members: said })]
      const file = await forge('manifest.tgz', [...members, manifest], false)
      return (await refusal(file)).message
    }
    const another = `FILE is damaged or no backup: volumes/cache.tar.000001 has another checksum than its manifest says; ${next}`
    expect([
      await named(first, { ...part, sha256: first.sha256 }),
      await named(first, { ...part, size: part.size + 512 }),
      await named(first),
      await named(first, part, { ...part, name: 'volumes/cache.tar.000002' }),
    ]).toEqual([
      another,
      another,
      another,
      `FILE is damaged or no backup: it holds fewer files than its manifest says; ${next}`,
    ])
  })

  it('is refused for a half archive also where a whole one follows', async () => {
    const inner = await tarOf([[{ name: 'object' }, big.subarray(0, 1000)]])
    const file = await forge('half-first.tgz', [
      head(),
      [{ name: 'volumes/cache.tar.000001' }, inner.subarray(0, 700)],
      [{ name: 'configuration/dns.tar.000001' }, inner],
    ])
    expect((await refusal(file)).message).toBe(
      `FILE is damaged or no backup: volumes/cache.tar is no whole tar; ${next}`,
    )
  })

  it('is refused where an archive is no tar from its first bytes on, whatever follows, and waits for nothing', async () => {
    const bad: Entry = [{ name: 'volumes/cache.tar.000001' }, 'x'.repeat(1024)]
    const more: Entry = [{ name: 'volumes/cache.tar.000002' }, Buffer.alloc(1024 * 1024, 'x')]
    const other: Entry = [{ name: 'configuration/dns.tar.000001' }, Buffer.alloc(1024)]
    for (const [index, members] of [[bad], [bad, more], [bad, other]].entries())
      expect(await refusal(await forge(`no-tar-${index}.tgz`, [head(), ...members]))).toMatchObject({
        code: 'damaged-backup',
        message: `FILE is damaged or no backup: volumes/cache.tar is no whole tar; ${next}`,
      })
  })

  it('with a part larger than any is refused before that is in memory', async () => {
    const part: Entry = [{ name: 'volumes/cache.tar.000001' }, Buffer.alloc(4 * 1024 * 1024 + 1)]
    expect((await refusal(await forge('large.tgz', [head(), part]))).message).toBe(
      `FILE is damaged or no backup: "volumes/cache.tar.000001" is larger than it may be; ${next}`,
    )
  })

  it('that becomes another, or ends, between its check and its restore is not restored', async () => {
    const backupOf = async (text: string): Promise<string> => {
      const inner = await tarOf([[{ name: 'object' }, text]])
      return forge('changing.tgz', [
        head({ archives: [cache] }),
        [{ name: 'volumes/cache.tar.000001' }, inner],
      ])
    }
    const backup = await openBackup(await backupOf('mine'))
    const reread = () => whole(backup.open(cache))
    expect((await reread()).toString('utf8', 512, 516)).toBe('mine')
    const changed = `${backup.file} is damaged or no backup: it changed while it was read; ${next}`
    await backupOf('evil')
    await expect(reread()).rejects.toThrow(changed)
    await forge('changing.tgz', [head({ archives: [] })])
    await expect(reread()).rejects.toThrow(changed)
  })

  it('whose header could name anything on the Engine is refused', async () => {
    for (const of of ['../etc', 'a/b', '', '-v']) {
      const file = await forge('names.tgz', [head({ archives: [{ type: 'volume', of }] })])
      expect((await refusal(file)).message).toBe(
        `FILE is damaged or no backup: backup.json lacks what a backup must say; ${next}`,
      )
    }
  })

  it('that says no day on which it was made is refused', async () => {
    const file = await forge('undated.tgz', [head({ created: 'yesterday', archives: [] })])
    expect((await refusal(file)).message).toBe(
      `FILE is damaged or no backup: backup.json lacks what a backup must say; ${next}`,
    )
  })

  it('with a hostile tar inside is refused, though its checksums are right', async () => {
    const refused: (readonly [Entry[], string])[] = [
      [[[{ name: '../up' }, 'x']], 'the path ../up, which leads out of it'],
      [[[{ name: '/etc/passwd' }, 'x']], 'the absolute path /etc/passwd'],
      [
        [[{ name: 'a', type: 'symlink', linkname: 'b' }], [{ name: 'a/passwd' }, 'x']],
        'the path a/passwd, which goes through a link',
      ],
      [
        [[{ name: 'disk', type: 'block-device', devmajor: 8, devminor: 0 }]],
        'disk, which is a device or of an unknown kind',
      ],
    ]
    for (const [entries, reason] of refused) {
      const members: Entry[] = [head(), [{ name: 'volumes/cache.tar.000001' }, await tarOf(entries)]]
      expect(await refusal(await forge('hostile.tgz', members))).toEqual({
        code: 'unsafe-backup',
        exitCode: 2,
        message: `FILE is refused: volumes/cache.tar holds ${reason}; nothing was changed. Take a backup that \`slipway backup\` wrote.`,
      })
    }
  })

  it('with links or folders in place of its own members is refused', async () => {
    const link = await forge('outer-link.tgz', [
      head(),
      [{ name: 'volumes/cache.tar.000001', type: 'symlink', linkname: '/etc/shadow' }],
    ])
    expect((await refusal(link)).message).toBe(
      `FILE is damaged or no backup: it holds "volumes/cache.tar.000001", which is no plain file; ${next}`,
    )
  })
})

describe('entries of an archive', () => {
  const judged = (type: 'volume' | 'configuration', ...entries: Partial<Header>[]) => {
    const judge = entryJudge({ type })
    return entries.map((entry) => judge({ type: 'file', ...entry } as Header)).find((fault) => fault)
  }

  it('links may lead anywhere within, and nowhere else', () => {
    const link = (name: string, linkname: string): Partial<Header> => ({ name, linkname, type: 'symlink' })
    expect(judged('volume', link('a/b', '../c'))).toBe(undefined)
    expect(judged('volume', link('a/b', '../../c'))).toBe('the link a/b to ../../c, which leads out of it')
    expect(judged('volume', link('a', '/var/spool'))).toBe('the link a to /var/spool, which leads out of it')
    expect(judged('configuration', link('etc/localtime', '/usr/share/zoneinfo/UTC'))).toBe(undefined)
    expect(judged('configuration', link('etc/x', '/../host'))).toBe(
      'the link etc/x to /../host, which leads out of it',
    )
  })

  it('hard links stay within and do not go through links', () => {
    const hard = (name: string, linkname: string): Partial<Header> => ({ name, linkname, type: 'link' })
    expect(judged('volume', { name: 'a' }, hard('b', 'a'))).toBe(undefined)
    expect(judged('volume', hard('b', '/etc/shadow'))).toBe(
      'the link b to /etc/shadow, which leads out of it',
    )
    expect(judged('volume', hard('b', '../a'))).toBe('the link b to ../a, which leads out of it')
    expect(judged('volume', { name: 's', linkname: 'd', type: 'symlink' }, hard('b', 's/x'))).toBe(
      'the link b to s/x, which leads out of it',
    )
  })

  it('a hard link to a symbolic link is one too: it stays within from where it stands, and nothing goes through it', () => {
    const inside: Partial<Header> = { name: 'a/b/s', linkname: '../../c', type: 'symlink' }
    const second = (name: string): Partial<Header> => ({ name, linkname: './a/b/s', type: 'link' })
    expect(judged('volume', inside, second('a/d/t'))).toBe(undefined)
    expect(judged('volume', inside, second('t'))).toBe('the link t to ../../c, which leads out of it')
    expect(judged('volume', inside, second('a/d/t'), { name: 'a/d/t/x' })).toBe(
      'the path a/d/t/x, which goes through a link',
    )
    expect(judged('volume', inside, second('a/d/t'), { name: 'a/d/t' })).toBe(
      'the path a/d/t twice, once as a link',
    )
  })

  it('a name that is a link once is not a file later', () => {
    expect(judged('volume', { name: 's', linkname: 'd', type: 'symlink' }, { name: './s' })).toBe(
      'the path ./s twice, once as a link',
    )
  })
})

describe('cutting into parts', () => {
  it('keeps every byte, whatever the chunks', async () => {
    const bytes = randomBytes(10_000)
    for (const [chunk, size] of [
      [1, 3],
      [7, 7],
      [10_000, 999],
      [4096, 10_000],
      [4096, 20_000],
    ] as const) {
      const parts: Buffer[] = []
      for await (const part of cutParts(pieces(bytes, chunk), size)) parts.push(part)
      expect(Buffer.concat(parts).equals(bytes)).toBe(true)
      expect(parts.slice(0, -1).every((part) => part.length === size)).toBe(true)
    }
  })
})
