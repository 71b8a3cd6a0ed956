import { createHash } from 'node:crypto'
import { copyFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { readVolume } from '../../src/host/backup/volume-archive.ts'
import { ownLabels } from '../../src/host/labels.ts'
import { readState } from '../../src/host/state-volume.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'

const first = `slipway-backup-${process.pid}`
const second = `${first}-b`
const { layoutDirectory, productDirectory } = builtImage()
const portsOf = (base: number): string[] => [
  '--set',
  `dns.port=127.0.0.1:${base}053`,
  '--set',
  `optimiser.port=127.0.0.1:${base}128`,
]
let engine: Engine
let scratch: Scratch
let file: string

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await makeScratch('backup-verb')
  file = path.join(scratch.path, 'a.tar.gz')
  const installed = await onProduct(
    'install',
    layoutDirectory,
    '--name',
    first,
    '--profile',
    'branch',
    ...portsOf(26),
    '--set',
    'optimiser.memory=300m',
  )
  expect(installed).toMatchObject({ exitCode: 0 })
})

afterAll(async () => {
  for (const name of [first, second]) await slipway(['uninstall', '--name', name, '--yes'])
  await scratch.remove()
})

function onProduct(...parameters: string[]) {
  return slipway(['-C', productDirectory, ...parameters])
}

function restore(from: string, name: string, ...more: string[]) {
  return onProduct('restore', from, layoutDirectory, '--name', name, '--yes', ...more)
}

async function execute(container: string, script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await engine.containers.exec(container, ['/bin/bash', '-c', script])
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  return stdout
}

async function cacheVolumes(name: string): Promise<string[]> {
  const volumes = await engine.volumes.list()
  return volumes
    .filter(({ Labels }) => Labels?.[ownLabels.appliance] === name && Labels?.[ownLabels.holds] === 'cache')
    .map((one) => one.Name)
}

/** Every entry of the cache volume with its kind, mode, owner, target and content; the service must not write. */
async function contents(name: string): Promise<string[]> {
  const [volume, ...others] = await cacheVolumes(name)
  expect(others).toEqual([])
  const tar = extract()
  const chunks: Uint8Array[] = []
  for await (const chunk of readVolume(engine, name, volume!)) chunks.push(chunk)
  tar.end(Buffer.concat(chunks))
  const facts: string[] = []
  for await (const entry of tar) {
    const hash = createHash('sha256')
    for await (const chunk of entry as AsyncIterable<Uint8Array>) hash.update(chunk)
    const { name: entryName, type, mode, uid, gid, linkname } = entry.header
    facts.push([entryName, type, mode, uid, gid, linkname ?? '', hash.digest('hex')].join(' '))
  }
  // Squid writes its own index again and again.
  return facts.filter((fact) => !/swap\.state|netdb/.test(fact)).sort()
}

/** Everything of an appliance on the Engine that a refused command could have touched. */
async function picture(name: string): Promise<unknown> {
  const containers = await engine.containers.list({ [ownLabels.appliance]: name })
  const volumes = await engine.volumes.list()
  return {
    containers: containers.map(({ id, name: container, state }) => ({ id, container, state })),
    volumes: volumes
      .filter(({ Labels }) => Labels?.[ownLabels.appliance] === name)
      .map((one) => one.Name)
      .sort(),
    state: await readState(engine, name),
  }
}

const objects = [
  'cd /var/spool/squid',
  'head -c 9000000 /dev/urandom > big',
  'chmod 600 big',
  'ln big hard',
  'ln -s big soft',
  'mkdir -m 710 empty',
  'printf x > "name with spaces é"',
].join(' && ')

describe('slipway backup', () => {
  it('writes one private file, and notes it in the appliance', async () => {
    await execute(`${first}-optimiser-1`, objects)
    await execute(
      `${first}-dns-1`,
      'echo "# by hand" >> /etc/appliance/dnsmasq.conf && echo tool > /opt/tool && chmod 755 /opt/tool',
    )
    const { exitCode, stdout } = await slipway(['backup', file, '--name', first, '--cache', '--json'])
    expect(exitCode).toBe(0)
    const bytes = await readFile(file)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      size: bytes.length,
      sha256,
      name: first,
      profile: 'branch',
      settings: { 'optimiser.memory': '300m' },
      archives: [
        { type: 'volume', of: 'cache', holds: 'cache' },
        { type: 'configuration', of: 'dns', paths: ['/etc/appliance/dnsmasq.conf', '/opt/tool'] },
      ],
    })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(scratch.path)).toEqual(['a.tar.gz'])
    expect((await readState(engine, first)).backups).toEqual([
      { at: expect.any(String), file, size: bytes.length, sha256, release: expect.any(String) },
    ])
  })

  it('without --cache leaves the cache out, and with --dry-run writes nothing', async () => {
    const small = path.join(scratch.path, 'small.tar.gz')
    const dry = await slipway(['backup', small, '--name', first, '--dry-run', '--json'])
    expect(JSON.parse(dry.stdout).archives.map(({ of }: { of: string }) => of)).toEqual(['dns'])
    expect(await readdir(scratch.path)).toEqual(['a.tar.gz'])
  })

  it('of what is not installed, or into a folder that is not there, is refused', async () => {
    const none = await slipway(['backup', path.join(scratch.path, 'n.tgz'), '--name', 'slipway-nobody'])
    expect({ exitCode: none.exitCode, stderr: none.stderr }).toEqual({
      exitCode: 2,
      stderr:
        'slipway: slipway-nobody is not installed on this host, so there is nothing to back up; `slipway status` shows what is.',
    })
    const folder = path.join(scratch.path, 'none')
    const nowhere = await slipway(['backup', path.join(folder, 'n.tgz'), '--name', first])
    expect({ exitCode: nowhere.exitCode, stderr: nowhere.stderr }).toEqual({
      exitCode: 2,
      stderr: `slipway: There is no folder ${folder} to write n.tgz to; make it first.`,
    })
  })
})

describe('slipway restore', () => {
  it('refuses a damaged, cut or foreign file before anything is touched', async () => {
    const before = await picture(first)
    const bad = path.join(scratch.path, 'bad.tar.gz')
    const bytes = await readFile(file)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(bad, bytes)
    expect(await restore(bad, first)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(`${bad} is damaged or no backup: `),
    })
    await copyFile(file, bad)
    await truncate(bad, bytes.length - 20)
    expect(await restore(bad, first)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('it ends early; nothing was changed.'),
    })
    expect(await picture(first)).toEqual(before)
  })

  it('under another name gives the same appliance, the cache byte for byte', async () => {
    const done = await restore(file, second, ...portsOf(27))
    expect(done).toMatchObject({ exitCode: 0 })
    expect(await contents(second)).toEqual(await contents(first))
    const conf =
      'cat /etc/appliance/dnsmasq.conf; stat -c "%a %u %g" /etc/appliance/dnsmasq.conf /opt/tool; cat /opt/tool'
    expect(await execute(`${second}-dns-1`, conf)).toBe(await execute(`${first}-dns-1`, conf))
    expect((await engine.containers.inspect(`${second}-optimiser-1`))?.HostConfig.Memory).toBe(300 * 2 ** 20)
    const plan = await onProduct('plan', layoutDirectory, '--name', second, '--json')
    expect(JSON.parse(plan.stdout)).toMatchObject({ steps: [], settings: { 'optimiser.memory': '300m' } })
  })

  it('over a changed appliance puts back what was, on one cache volume', async () => {
    const before = await contents(first)
    await execute(
      `${first}-optimiser-1`,
      'cd /var/spool/squid && rm hard && echo other > big && echo new > extra',
    )
    await execute(`${first}-dns-1`, 'rm /opt/tool && echo "# later" >> /etc/appliance/dnsmasq.conf')
    expect(await restore(file, first)).toMatchObject({ exitCode: 0 })
    expect(await contents(first)).toEqual(before)
    expect(await execute(`${first}-dns-1`, 'tail -n 1 /etc/appliance/dnsmasq.conf; cat /opt/tool')).toBe(
      '# by hand\ntool\n',
    )
    const plan = await onProduct('plan', layoutDirectory, '--name', first, '--json')
    expect(JSON.parse(plan.stdout)).toMatchObject({ steps: [] })
  })

  it('that does not come up leaves the former appliance serving, its cache untouched', async () => {
    const broken = path.join(scratch.path, 'broken.tar.gz')
    await execute(`${second}-dns-1`, 'echo "no such option" >> /etc/appliance/dnsmasq.conf')
    expect(await slipway(['backup', broken, '--name', second, '--cache'])).toMatchObject({ exitCode: 0 })
    const [before, held] = [await picture(first), await contents(first)]
    const failed = await restore(broken, first, ...portsOf(26))
    expect(failed).toMatchObject({
      exitCode: 5,
      stderr: expect.stringContaining('The former containers serve again; nothing else was changed.'),
    })
    expect(await contents(first)).toEqual(held)
    expect(await picture(first)).toEqual(before)
  })
})

describe('slipway support-bundle', () => {
  async function files(bundle: string): Promise<Map<string, string>> {
    const tar = extract()
    tar.end(gunzipSync(await readFile(bundle)))
    const found = new Map<string, string>()
    for await (const entry of tar) {
      const chunks: Uint8Array[] = []
      for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk)
      found.set(entry.header.name.split('/').slice(1).join('/'), Buffer.concat(chunks).toString())
    }
    return found
  }

  it('holds what support needs, and no secret', async () => {
    await execute(`${first}-dns-1`, 'echo "# admin_password=hunter2" >> /etc/appliance/dnsmasq.conf')
    const bundle = path.join(scratch.path, 's.tar.gz')
    expect(await onProduct('support-bundle', bundle, '--name', first)).toMatchObject({ exitCode: 0 })
    const found = await files(bundle)
    // The plan is there where the product has been built in its own folder.
    expect([...found.keys()].filter((name) => name !== 'plan.json').sort()).toEqual([
      'disk.json',
      'drift.diff',
      'drift.json',
      'engine.json',
      'events.jsonl',
      `health/${first}-dns-1.json`,
      `health/${first}-optimiser-1.json`,
      `inspect/${first}-dns-1.json`,
      `inspect/${first}-optimiser-1.json`,
      `limits/${first}-dns-1.json`,
      `limits/${first}-optimiser-1.json`,
      `logs/${first}-dns-1.log`,
      `logs/${first}-optimiser-1.log`,
      'machine.json',
      'manifest.json',
      'network.json',
      'product.json',
      'state.json',
      'status.json',
      'versions.json',
    ])
    expect(found.get('drift.diff')).toContain('+# admin_password=[redacted]')
    expect([...found.values()].filter((text) => text.includes('hunter2'))).toEqual([])
    const { collectors } = JSON.parse(found.get('manifest.json')!)
    for (const one of collectors.flatMap((collector: { files: object[] }) => collector.files)) {
      const content = found.get(one.path)!
      expect(createHash('sha256').update(content).digest('hex')).toBe(one.sha256)
    }
  })

  it('works, with less, when the Engine is down', async () => {
    const bundle = path.join(scratch.path, 'down.tar.gz')
    const address = `unix://${path.join(scratch.path, 'none.sock')}`
    const { exitCode, stdout } = await slipway(['-C', productDirectory, 'support-bundle', bundle], {
      env: { DOCKER_HOST: address },
    })
    expect(exitCode).toBe(0)
    expect(stdout).toContain(`: No Docker Engine answers at ${address} (from DOCKER_HOST)`)
    expect([...(await files(bundle)).keys()].sort()).toEqual([
      'machine.json',
      'manifest.json',
      'product.json',
      'versions.json',
    ])
  })
})
