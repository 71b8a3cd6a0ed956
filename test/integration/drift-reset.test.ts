import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { inspectHost } from '../../src/host/inspect.ts'
import { planReset } from '../../src/host/plan-reset.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { builtImage } from '../support/built-image.ts'
import { slipway } from '../support/slipway.ts'
import { TinyAppliance } from '../support/tiny-appliance.ts'
import { busyboxLayer, writeTinyLayout } from '../support/tiny-layout.ts'

const name = `slipway-drift-${process.pid}`
const { layoutDirectory, productDirectory } = builtImage()
const ports = ['--set', 'dns.port=127.0.0.1:24753', '--set', 'optimiser.port=127.0.0.1:24728']
const squidConf = '/etc/appliance/squid.conf'
const dnsmasqConf = '/etc/appliance/dnsmasq.conf'
let engine: Engine

const run = (...parameters: string[]) => slipway(['-C', productDirectory, ...parameters, '--name', name])

async function asRoot(service: string, script: string, user = '0'): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.containers.exec(
    `${name}-${service}-1`,
    ['sh', '-c', script],
    { user },
  )
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
}

async function unexpected(): Promise<unknown[]> {
  const { stdout } = await run('drift', '--json')
  const { services } = JSON.parse(stdout) as {
    services: { service: string; paths: { path: string; kind: string; class: string; package?: string }[] }[]
  }
  return services.flatMap(({ service, paths }) =>
    paths.filter((one) => one.class !== 'expected').map((one) => ({ service, ...one })),
  )
}

async function idOf(service: string): Promise<string | undefined> {
  return (await engine.containers.inspect(`${name}-${service}-1`))?.Id
}

async function volumes(): Promise<string[]> {
  return (await engine.volumes.list())
    .map(({ Name }) => Name)
    .filter((one) => one.startsWith(`${name}_`))
    .sort()
}

beforeAll(async () => {
  engine = await connectEngine()
  expect(await run('install', layoutDirectory, '--profile', 'branch', ...ports)).toMatchObject({
    exitCode: 0,
  })
})

afterAll(() => run('uninstall', '--yes'))

describe('slipway drift', () => {
  it('finds nothing in what has only just been installed, exit code 0', async () => {
    expect(await unexpected()).toEqual([])
    expect((await run('drift')).exitCode).toBe(0)
  })

  it('classes what was changed, added and deleted, names pinned libraries, and leaves out what is the same', async () => {
    await asRoot(
      'optimiser',
      `echo added > /opt/tool; rm /etc/ssl/openssl.cnf; chmod 700 /srv; touch /etc/passwd
       cp /etc/group /tmp/group; cat /tmp/group > /etc/group; echo ls > /root/.bash_history`,
    )
    expect(await unexpected()).toEqual([
      {
        service: 'optimiser',
        path: '/etc/ssl/openssl.cnf',
        kind: 'deleted',
        class: 'pinned',
        package: 'openssl',
      },
      { service: 'optimiser', path: '/opt/tool', kind: 'added', class: 'changed' },
      { service: 'optimiser', path: '/srv', kind: 'modified', class: 'changed' },
    ])
    const shown = await run('drift')
    expect(shown.exitCode).toBe(1)
    expect(shown.stdout).toContain('+ optimiser /root/.bash_history   added, as expected')
    expect(shown.stdout).toContain(
      '- optimiser /etc/ssl/openssl.cnf   deleted, of the pinned library openssl',
    )
  })

  it('leaves nothing on the Engine', async () => {
    const names = (await engine.containers.list())
      .map((one) => one.name)
      .filter((one) => one.startsWith(name))
    expect(names.filter((one) => one.includes('reader'))).toEqual([])
  })
})

describe('slipway restore-file', () => {
  it('puts a mistyped squid.conf back, content, mode and owner, without another container, and keeps what was there', async () => {
    const before = await idOf('optimiser')
    const was = await asRoot('optimiser', `stat -c '%a %u %g' ${squidConf}; sha256sum ${squidConf}`)
    await asRoot('optimiser', `echo 'htp_port 3128' >> ${squidConf}; chmod 600 ${squidConf}`)
    const { stdout } = await run('drift', '--diff')
    expect(stdout).toContain(`~ optimiser ${squidConf}   modified`)
    expect(stdout).toContain('    +htp_port 3128')
    const restored = await run('restore-file', squidConf)
    expect(restored).toMatchObject({
      exitCode: 0,
      stdout: `${squidConf} in optimiser of ${name} is as in the image; \`slipway restore-file --undo ${squidConf}\` brings back what was there.`,
    })
    expect(await asRoot('optimiser', `stat -c '%a %u %g' ${squidConf}; sha256sum ${squidConf}`)).toBe(was)
    expect(await asRoot('optimiser', `tail -1 /var/lib/slipway/undo${squidConf}`)).toBe('htp_port 3128\n')
    expect(await idOf('optimiser')).toBe(before)
  })

  it('does not bring back with --undo what the service refuses, and brings back what it takes', async () => {
    const refused = await run('restore-file', '--undo', squidConf)
    expect(refused.exitCode).toBe(1)
    expect(await asRoot('optimiser', `grep -c htp_port ${squidConf} || true`)).toBe('0\n')
    await asRoot('optimiser', `echo '# a note' >> ${squidConf}`)
    expect((await run('restore-file', squidConf)).exitCode).toBe(0)
    expect((await run('restore-file', '--undo', squidConf)).exitCode).toBe(0)
    expect(await asRoot('optimiser', `tail -1 ${squidConf}`)).toBe('# a note\n')
    expect((await run('restore-file', squidConf)).exitCode).toBe(0)
  })

  it('brings a DNS cache back that a mistyped dnsmasq.conf keeps from starting', async () => {
    await asRoot('dns', `sed -i s/port=53/prot=53/ ${dnsmasqConf}`)
    await engine.containers.stop(`${name}-dns-1`)
    await engine.containers.start(`${name}-dns-1`)
    await expect
      .poll(async () => (await engine.containers.inspect(`${name}-dns-1`))?.RestartCount, { timeout: 30_000 })
      .toBeGreaterThan(0)
    expect((await run('restore-file', dnsmasqConf)).exitCode).toBe(0)
    const health = await engine.containers.exec(`${name}-dns-1`, ['/usr/lib/appliance/dns-health'])
    expect(health).toMatchObject({ exitCode: 0 })
  })

  it('changes nothing where nothing differs, and refuses what is on a volume or not in the image', async () => {
    expect((await run('restore-file', squidConf)).stdout).toBe(
      `${squidConf} is as it should be; nothing was changed.`,
    )
    const added = await run('restore-file', '/opt/tool')
    expect({ exitCode: added.exitCode, stderr: added.stderr }).toEqual({
      exitCode: 2,
      stderr:
        'slipway: /opt/tool is not in the image, so that nothing can put it back; `slipway reset clean` removes what was added.',
    })
    const mounted = await run('restore-file', '--service', 'optimiser', '/var/spool/squid/swap.state')
    expect(mounted.exitCode).toBe(2)
  })
})

describe('slipway reset', () => {
  it('shows with --dry-run what goes and stays, in bytes, asks, and touches nothing', async () => {
    const ids = [await idOf('dns'), await idOf('optimiser')]
    const dry = await run('reset', 'cache', '--dry-run', '--json')
    const { goes, stays } = JSON.parse(dry.stdout) as Record<
      'goes' | 'stays',
      { kind: string; name: string; bytes: number }[]
    >
    expect(goes.map(({ kind, name: one }) => `${kind} ${one}`).sort()).toEqual([
      `container ${name}-dns-1`,
      `container ${name}-optimiser-1`,
      `volume ${name}_cache`,
    ])
    expect(goes.find((one) => one.name === `${name}_cache`)!.bytes).toBeGreaterThan(0)
    expect(
      stays
        .filter(({ kind }) => kind === 'setting')
        .map((one) => one.name)
        .sort(),
    ).toEqual(['dns.port=127.0.0.1:24753', 'optimiser.port=127.0.0.1:24728'])
    const asked = await run('reset', 'cache')
    expect({ exitCode: asked.exitCode, stderr: asked.stderr }).toEqual({
      exitCode: 2,
      stderr: `slipway: This resets ${name} to cache. Say --yes to go on, --dry-run to only look.`,
    })
    expect([await idOf('dns'), await idOf('optimiser')]).toEqual(ids)
  })

  it('clean takes every change of one service back and touches neither its cache nor the other service', async () => {
    await asRoot('optimiser', 'echo kept > /var/spool/squid/mark', 'proxy')
    const dns = await idOf('dns')
    expect((await run('reset', 'clean', '--service', 'optimiser', '--yes')).exitCode).toBe(0)
    expect(
      (await unexpected()).filter((one) => (one as { service: string }).service === 'optimiser'),
    ).toEqual([])
    expect(await asRoot('optimiser', 'cat /var/spool/squid/mark', 'proxy')).toBe('kept\n')
    expect(await idOf('dns')).toBe(dns)
    expect(JSON.parse((await run('plan', layoutDirectory, '--json')).stdout)).toMatchObject({ steps: [] })
  })

  it('cache gives an empty volume and keeps settings, and a next install plans nothing', async () => {
    expect((await run('reset', 'cache', '--yes')).exitCode).toBe(0)
    expect(await asRoot('optimiser', 'ls /var/spool/squid/mark 2>&1 || true', 'proxy')).toContain(
      'No such file',
    )
    expect(await volumes()).toEqual([`${name}_cache.2`, `${name}_state`])
    expect(JSON.parse((await run('plan', layoutDirectory, '--json')).stdout)).toMatchObject({ steps: [] })
  })

  it('whose replacement never becomes healthy puts the old container back with its volume, exit code 5', async () => {
    const scratch = await mkdtemp(path.join(os.tmpdir(), 'slipway-reset-'))
    await writeTinyLayout(scratch, [await busyboxLayer(), { 'etc/name': name }])
    const tiny = new TinyAppliance(engine, await readLayout(scratch, 'linux/amd64'), `${name}-tiny`)
    try {
      const target = tiny.target({ check: ['sh', '-c', '/bin/busybox test ! -f /data/poison'] })
      await tiny.reach(target)
      const second = `${tiny.name}-second-1`
      const before = (await engine.containers.inspect(second))?.Id
      await engine.containers.exec(second, ['/bin/busybox', 'sh', '-c', 'echo kept > /data/poison'])
      const steps = planReset(
        await inspectHost(engine, tiny.name),
        target,
        { level: 'clean', services: ['second'], emptied: [] },
        { stored: {}, kept: {} },
      )
      await expect(tiny.apply(steps)).rejects.toMatchObject({ code: 'not-healthy', exitCode: 5 })
      const after = await engine.containers.inspect(second)
      expect({ id: after?.Id, running: after?.State.Running }).toEqual({ id: before, running: true })
      const kept = await engine.containers.exec(second, ['/bin/busybox', 'cat', '/data/poison'])
      expect(kept.stdout).toBe('kept\n')
    } finally {
      await tiny.remove()
      await rm(scratch, { recursive: true, force: true })
    }
  })

  it('refuses a level that is none, and --licence with any but factory', async () => {
    const none = await run('reset', 'claen')
    expect({ exitCode: none.exitCode, stderr: none.stderr }).toEqual({
      exitCode: 2,
      stderr:
        'slipway: There is no reset claen; did you mean clean? Levels are restart, clean, cache, settings, factory, each with what the former do.',
    })
    expect((await run('reset', 'clean', '--licence')).exitCode).toBe(2)
  })
})
