import { afterAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import { withMutex } from '../../src/host/mutex.ts'
import { readState } from '../../src/host/state-volume.ts'
import type { HostStatus } from '../../src/host/status.ts'
import { silent } from '../../src/lib/progress.ts'
import { builtImage } from '../support/built-image.ts'
import { slipway } from '../support/slipway.ts'

const name = `slipway-install-${process.pid}`
const { layoutDirectory, productDirectory } = builtImage()
const ports = ['--set', 'dns.port=127.0.0.1:24053', '--set', 'optimiser.port=127.0.0.1:24128']

function install(verb: 'install' | 'plan', ...more: string[]) {
  return slipway(['-C', productDirectory, verb, layoutDirectory, '--name', name, ...ports, ...more])
}

/** Everything on the Engine that a command could have touched. */
async function everything(): Promise<unknown> {
  const { images, containers, volumes, networks } = await connectEngine()
  const own = (await containers.list()).filter((one) => one.name.startsWith(name))
  const [tags, volumeNames, networkNames] = await Promise.all([
    images.list(),
    volumes.list(),
    networks.list(),
  ])
  return {
    own,
    images: tags.map(({ id, tags }) => `${id} ${[...tags].sort()}`).sort(),
    volumes: volumeNames
      .map(({ Name }) => Name)
      .filter((one) => one.startsWith(name))
      .sort(),
    networks: networkNames.map(({ Name }) => Name).filter((one) => one.startsWith(name)),
  }
}

afterAll(() => slipway(['uninstall', '--name', name, '--yes']))

describe('slipway install', () => {
  it('shows with plan and --dry-run what it would do, and touches nothing', async () => {
    const before = await everything()
    const plan = await install('plan', '--profile', 'branch')
    const dry = await install('install', '--profile', 'branch', '--dry-run')
    expect(dry.stdout).toBe(plan.stdout)
    const lines = plan.stdout.split('\n').map((line) => line.replace(/ {2,}/, '  '))
    expect(lines.filter((line) => !line.startsWith('+ image'))).toEqual([
      `+ network ${name}_default  not on this host`,
      `+ volume ${name}_cache  not on this host`,
      `+ container ${name}-optimiser-1  not on this host`,
      `+ container ${name}-dns-1  not on this host`,
      `+ volume ${name}_state  settings and history`,
      '~ setting dns.port  127.0.0.1:24053 from now on, over the profile',
      '~ setting optimiser.port  127.0.0.1:24128 from now on, over the profile',
      expect.stringMatching(/^\+ history of .*: .* {2}release .* with the profile branch$/),
      'Settings of this site over the profile: dns.port=127.0.0.1:24053 optimiser.port=127.0.0.1:24128',
    ])
    expect(await everything()).toEqual(before)
  })

  it('asks for a profile where none is installed', async () => {
    const { exitCode, stderr } = await install('install')
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'slipway: Say for which site with --profile: branch, campus, datacentre.',
    })
  })

  it('installs, says where the services are, and plans nothing the second time, also without --profile', async () => {
    const first = await install('install', '--profile', 'branch')
    expect(first).toMatchObject({ exitCode: 0 })
    expect(first.stdout).toMatch(
      /dns +127\.0\.0\.1:24053\/(udp|tcp), 127\.0\.0\.1:24053\/(udp|tcp) {2}\(healthy\)/,
    )
    expect(first.stdout).toContain(`Next: slipway status --name ${name}`)
    const second = await install('plan', '--json')
    expect(JSON.parse(second.stdout)).toMatchObject({ name, changes: [], steps: [] })
    const third = await install('install')
    expect(third.stdout.split('\n')[0]).toBe(`${name} is as it should be; nothing was changed.`)
  })

  it('remembers settings and release on the host, and forgets a setting when told', async () => {
    const plain = ['-C', productDirectory, 'plan', layoutDirectory, '--name', name]
    const settings = { 'dns.port': '127.0.0.1:24053', 'optimiser.port': '127.0.0.1:24128' }
    const plan = JSON.parse((await slipway([...plain, '--json'])).stdout)
    expect(plan).toMatchObject({ settings, steps: [] })
    const { history, settings: stored } = await readState(await connectEngine(), name)
    expect(stored).toEqual(settings)
    expect(history).toEqual([
      {
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        release: plan.release,
        image: expect.stringMatching(/^sha256:/),
        profile: 'branch',
      },
    ])
    const changed = await slipway([...plain, '--set', 'dns.cache=6000'])
    expect(changed.stdout).toMatch(/^~ setting dns\.cache +6000 from now on, over the profile$/m)
    const wrong = await slipway([...plain, '--unset', 'dns.prot'])
    expect({ exitCode: wrong.exitCode, stderr: wrong.stderr }).toEqual({
      exitCode: 2,
      stderr: `slipway: --unset dns.prot: ${name} has no such setting of its own; it has dns.port=127.0.0.1:24053, optimiser.port=127.0.0.1:24128.`,
    })
  })

  it('of two at once does one; the other ends with 6 and names it', async () => {
    const engine = await connectEngine()
    const [refused, looked] = await withMutex(engine, name, 'install', silent, async () => [
      await install('install', '--set', 'dns.memory=70m'),
      await slipway(['status', '--name', name, '--json']),
    ])
    expect(JSON.parse(looked!.stdout).atWork).toEqual({
      run: expect.stringMatching(/^install, by \S+ on \S+ \(process \d+\), since .* UTC \(\d+ s ago\)$/),
    })
    expect(refused!.exitCode).toBe(6)
    expect(refused!.stderr).toMatch(
      /^slipway: Another run is at work on \S+: install, by \S+ on \S+ \(process \d+\), since .* UTC \(\d+ s ago\); run the same command again when it is done\.$/,
    )
    const next = await install('install', '--set', 'dns.memory=72m')
    expect(next).toMatchObject({ exitCode: 0 })
    const unset = await install('install', '--unset', 'dns.memory')
    expect(unset).toMatchObject({ exitCode: 0 })
    expect(unset.stdout).toMatch(/^- setting dns\.memory +72m is forgotten, the profile's counts$/m)
    expect(JSON.parse((await install('plan', '--json')).stdout)).toMatchObject({ steps: [] })
  })

  it('keeps settings over uninstall --keep-data, and the next install goes on with them', async () => {
    const gone = await slipway(['uninstall', '--name', name, '--keep-data', '--yes'])
    expect(gone.exitCode).toBe(0)
    expect(await everything()).toMatchObject({
      own: [],
      volumes: [`${name}_cache`, `${name}_state`],
      networks: [],
    })
    const again = await slipway(['-C', productDirectory, 'install', layoutDirectory, '--name', name])
    expect(again).toMatchObject({ exitCode: 0 })
    expect(again.stdout).toContain('127.0.0.1:24128/tcp  (healthy)')
  })

  it('refuses a second appliance on the same ports, naming the holder, before it makes anything', async () => {
    const other = `${name}-other`
    const refused = await slipway([
      ...[
        '-C',
        productDirectory,
        'install',
        layoutDirectory,
        '--name',
        other,
        '--profile',
        'branch',
        ...ports,
      ],
    ])
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toMatch(
      /^slipway: Port 24128\/tcp of this host is in use by container slipway-install-\d+-optimiser-1; stop that, or give the profile another port, then run the same command again\.$/,
    )
    expect((await (await connectEngine()).containers.list()).map((one) => one.name)).not.toContain(
      `${other}-dns-1`,
    )
  })

  it('status tells state, health, memory and release, and by its exit code whether all is well', async () => {
    const well = await slipway(['status', '--name', name, '--json'])
    const status = JSON.parse(well.stdout) as HostStatus
    expect(well.exitCode).toBe(0)
    expect(status.services).toEqual([
      {
        service: 'dns',
        container: `${name}-dns-1`,
        state: 'running',
        health: 'healthy',
        lastCheck: {
          at: expect.any(String),
          said: 'dnsmasq answers; cache up to 0 of 5000 names',
          failures: 0,
        },
        restarts: 0,
        endings: [],
        startedAt: expect.any(String),
        release: expect.any(String),
        image: expect.stringMatching(/^sha256:/),
        pins: expect.objectContaining({ libssl3t64: expect.stringMatching(/^3\.5\./) }),
        memory: { used: expect.any(Number), cap: 67_108_864, kills: 0 },
        cache: { used: 0, cap: 5000, unit: 'names', atMost: true },
        drift: 0,
        ports: expect.arrayContaining([{ ip: '127.0.0.1', port: 24053, protocol: 'udp' }]),
        serves: 'dns',
      },
      expect.objectContaining({
        service: 'optimiser',
        memory: { used: expect.any(Number), cap: 536_870_912, kills: 0 },
        cache: { used: 0, cap: 2_147_483_648, unit: 'bytes', atMost: false },
      }),
    ])
    await (await connectEngine()).containers.stop(`${name}-dns-1`)
    expect((await slipway(['status', '--name', name])).exitCode).toBe(1)
  })

  it('uninstall shows what goes, asks for --yes where nobody can answer, and removes it all', async () => {
    const asked = await slipway(['uninstall', '--name', name])
    expect({ exitCode: asked.exitCode, stderr: asked.stderr }).toEqual({
      exitCode: 2,
      stderr: `slipway: Uninstalling ${name} deletes what stands above. Say --yes to go on, --dry-run to only look.`,
    })
    expect(
      asked.stdout
        .split('\n')
        .map((line) => line.replace(/ {2,}/, '  '))
        .sort(),
    ).toEqual([
      `- container ${name}-dns-1  no longer wanted`,
      `- container ${name}-optimiser-1  no longer wanted`,
      `- container ${name}-state  no longer wanted`,
      `- network ${name}_default  no longer wanted`,
      `- volume ${name}_cache  no longer wanted; its data goes with it`,
      `- volume ${name}_state  no longer wanted; its data goes with it`,
    ])
    expect((await slipway(['uninstall', '--name', name, '--yes'])).exitCode).toBe(0)
    expect(await everything()).toMatchObject({ own: [], volumes: [], networks: [] })
  })
})
