import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Context } from '../../../src/cli/context.ts'
import { run as lock } from '../../../src/cli/lock.ts'
import { run as outdated } from '../../../src/cli/outdated.ts'
import { run as why } from '../../../src/cli/why.ts'
import { ArchiveServer } from '../../support/archive-server.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { makeArchive, makeKey, type TinyKey } from '../../support/tiny-archive.ts'
import type { TinyPackage } from '../../support/tiny-deb.ts'

const key: TinyKey = await makeKey('Tiny Archive')
const release: TinyPackage[] = [
  { name: 'shell', version: '5.2', fields: { Essential: 'yes' } },
  { name: 'squid', version: '6.13-1', fields: { Depends: 'openssl, cron' } },
  { name: 'openssl', version: '3.5.1-1', architecture: 'amd64' },
  { name: 'openssl', version: '3.5.1-1', architecture: 'arm64' },
  { name: 'cron', version: '3.0' },
]

let scratch: Scratch
let server: ArchiveServer
let printed: string[]
let directory: string

beforeEach(async () => {
  scratch = await makeScratch('lock')
  server = await ArchiveServer.start()
  directory = path.join(scratch.path, 'product')
  printed = []
  await publish([])
  await writeProduct('[squid]')
})

afterEach(async () => {
  await server.close()
  await scratch.remove()
})

async function publish(fixes: readonly TinyPackage[]): Promise<void> {
  const { files } = await makeArchive(
    [
      { codename: 'trixie', packages: release },
      { codename: 'trixie-updates', packages: [] },
      { codename: 'trixie-security', packages: fixes, pool: 'pool/updates/main' },
    ],
    [key],
  )
  for (const [name, data] of files) server.files.set(name, data)
}

async function writeProduct(packages: string): Promise<void> {
  await writeFiles({
    'appliance.yaml': `name: tiny
version: 1.0.0
debian: {suite: trixie, keyrings: [key.asc], mirror: "${server.url}", securityMirror: "${server.url}"}
layers: [base, libraries, optimiser, brand]
pins: {openssl: 3.5.*}
exclude: {cron: no timer}
brand: {vendor: Tiny, product: Tiny, command: tiny, support: nobody}
`,
    'key.asc': key.armored,
    'compose/appliance.yaml': 'services:\n  app:\n    image: tiny\n',
    'images/base/component.yaml': 'essential: true\n',
    'images/optimiser/component.yaml': `packages: ${packages}\n`,
  })
}

async function writeFiles(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true })
    await writeFile(path.join(directory, name), text)
  }
}

function context(): Context {
  return {
    cwd: scratch.path,
    env: { SLIPWAY_CACHE: path.join(scratch.path, 'cache') },
    print: (line) => printed.push(line),
    report: () => {},
    interactive: false,
    color: false,
    signal: new AbortController().signal,
  }
}

const options = { directory: 'product' }
const readLockText = () => readFile(path.join(directory, 'appliance.lock'), 'utf8')

describe('slipway lock', () => {
  it('writes the first lock and prints what each layer takes, with sizes', async () => {
    await lock(context(), options)
    expect(printed.map((line) => line.replace(/\d+(\.\d+)? k?B/g, 'SIZE'))).toEqual([
      'linux/amd64: 3 packages, SIZE, 1 left out by exclude',
      '  + base: 1 package, SIZE',
      '  + libraries: 1 package, SIZE',
      '  + optimiser: 1 package, SIZE',
      'linux/arm64: 3 packages, SIZE, 1 left out by exclude',
      '  + base: 1 package, SIZE',
      '  + libraries: 1 package, SIZE',
      '  + optimiser: 1 package, SIZE',
      'appliance.lock is written. Next: slipway build',
    ])
    expect(JSON.parse(await readLockText()).archives.map((one: { suite: string }) => one.suite)).toEqual([
      'trixie',
      'trixie-updates',
      'trixie-security',
    ])
  })

  it('run again, leaves the file alone, even when the archive has signed anew', async () => {
    await lock(context(), options)
    const before = await readLockText()
    await publish([])
    printed = []
    await lock(context(), options)
    expect([await readLockText(), printed.at(-1)]).toEqual([before, 'appliance.lock is up to date.'])
  })

  it('--update moves what it names; --dry-run writes nothing', async () => {
    await lock(context(), options)
    const before = await readLockText()
    const fix = (architecture: string) => ({ name: 'openssl', version: '3.5.1-1+deb13u1', architecture })
    await publish([fix('amd64'), fix('arm64')])
    printed = []
    await lock(context(), { ...options, update: ['openssl'], dryRun: true })
    expect([await readLockText(), printed.filter((line) => /^ |dry/.test(line))]).toEqual([
      before,
      [
        expect.stringMatching(
          /^ {2}~ openssl 3\.5\.1-1 → 3\.5\.1-1\+deb13u1 \(trixie-security, [\d.]+ k?B\)$/,
        ),
        expect.stringMatching(/^ {2}~ openssl/),
        'Nothing was written; without --dry-run, appliance.lock would be.',
      ],
    ])
    printed = []
    await lock(context(), { ...options, update: true, json: true })
    expect(JSON.parse(printed.join('\n'))).toMatchObject({
      changed: true,
      written: true,
      platforms: [
        { platform: 'linux/amd64', changes: [{ name: 'openssl', after: { version: '3.5.1-1+deb13u1' } }] },
        { platform: 'linux/arm64', changes: [{ name: 'openssl' }] },
      ],
    })
  })

  it('that fails leaves the old lock as it was, and nothing beside it', async () => {
    await lock(context(), options)
    const before = await readLockText()
    await writeProduct('[squid, opensll]')
    await expect(lock(context(), options)).rejects.toThrow(
      'The package opensll, asked for by optimiser, is not in the archive for amd64; near to it: openssl.',
    )
    await writeProduct('[squid]')
    await publish([{ name: 'openssl', version: '3.5.9-1', architecture: 'arm64' }])
    await expect(lock(context(), { ...options, update: true })).rejects.toThrow(
      'The archive does not have the same versions for all platforms: openssl is 3.5.1-1 for linux/amd64 and 3.5.9-1 for linux/arm64.',
    )
    expect([await readLockText(), (await readdir(directory)).sort()]).toEqual([
      before,
      ['appliance.lock', 'appliance.yaml', 'compose', 'images', 'key.asc'],
    ])
    await lock(context(), { ...options, update: true, archSkew: true })
    expect([printed.at(-2), JSON.parse(await readLockText()).platforms['linux/arm64'].packages[1]]).toEqual([
      'Accepted: openssl is 3.5.1-1 for linux/amd64 and 3.5.9-1 for linux/arm64.',
      expect.objectContaining({ name: 'openssl', version: '3.5.9-1' }),
    ])
  })

  it('refuses an old lock that was edited wrongly, rather than writing over it', async () => {
    await writeFiles({ 'appliance.lock': '{"lockVersion": 1}' })
    await expect(lock(context(), options)).rejects.toMatchObject({
      exitCode: 2,
      message:
        'appliance.lock was changed by hand or damaged: the file has no assemblyVersion. Put the committed one back, or delete it and run: slipway lock',
    })
    expect(await readLockText()).toBe('{"lockVersion": 1}')
  })
})

describe('slipway outdated', () => {
  it('says what is newer, why it matters, and the next command', async () => {
    await lock(context(), options)
    printed = []
    await outdated(context(), options)
    expect(printed).toEqual(['Every locked package is the newest that the archive has.'])
    printed = []
    await publish([
      { name: 'squid', version: '6.13-1+deb13u1' },
      { name: 'openssl', version: '3.6', architecture: 'amd64' },
    ])
    await outdated(context(), options)
    expect(printed).toEqual([
      'linux/amd64:',
      '  openssl 3.5.1-1 → 3.6 (trixie-security, security, held by the pin 3.5.*)',
      '  squid 6.13-1 → 6.13-1+deb13u1 (trixie-security, security)',
      'linux/arm64:',
      '  squid 6.13-1 → 6.13-1+deb13u1 (trixie-security, security)',
      'To move it: slipway lock --update squid',
    ])
  })
})

describe('slipway why', () => {
  it('prints the way down, or the reason for being left out, without asking the archive', async () => {
    await lock(context(), options)
    await server.close()
    printed = []
    await why(context(), options, ['openssl'])
    await why(context(), { ...options, platform: 'arm64' }, ['cron'])
    expect(printed).toEqual([
      'openssl 3.5.1-1 (linux/amd64, layer libraries, from trixie)',
      '  optimiser → squid → openssl',
      'cron is left out (linux/arm64): no timer',
      '  would come by: optimiser → squid → cron',
    ])
    server = await ArchiveServer.start()
  })
})
