import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BundleManifest } from '../../src/host/support/write-bundle.ts'
import { type QuickProduct, writeQuickProduct } from '../support/quick-bundle.ts'
import { type Moment, QuickHost, type Typed, type Victim } from '../support/quick-host.ts'
import { until } from '../support/until.ts'

/** What a reseller meets when a medium is not whole, the power goes, or patience ends. */
const command = 'cut-wan'
const bundle = `${command}-1.0.0-linux-amd64.tar`
const ports = ['--set', 'dns.port=127.0.0.1:27053', '--set', 'optimiser.port=127.0.0.1:27128']
const line = ['sh', 'install.sh', '--profile', 'branch', ...ports]
const again = `then run: ${line.join(' ')}`

let host: QuickHost
let product: QuickProduct
/** The bundle is delivered in three parts. */
let folder: string
/** What an install that nobody disturbs leaves. */
let whole: Awaited<ReturnType<QuickHost['everything']>>

beforeAll(async () => {
  host = await QuickHost.start(command)
  product = await writeQuickProduct(host.scratch.path, command)
  folder = await product.bundle('1.0.0', '--split', '30m')
})

afterAll(() => host?.stop())

const part = (number: number): string => path.join(folder, `${bundle}.00${number}`)
const away = (): string => path.join(host.scratch.path, 'away')
const nothing = { images: [], containers: [], volumes: [], networks: ['host', 'none'], commands: [] }
const install = (from = folder, env = {}): Promise<Typed> => host.type(from, line, env)

describe('install.sh refuses, before anything is loaded,', () => {
  const refused = async (from: string): Promise<unknown> => {
    const { exitCode, last } = await install(from)
    expect(await host.everything()).toEqual(nothing)
    return [exitCode, last]
  }
  it('an update where what it stands on is not', async () => {
    const update = await product.bundle('1.0.1', '--since', part(1))
    expect(await refused(update)).toEqual([
      2,
      `install.sh: ${command}-1.0.1-linux-amd64-since-1.0.0.tar holds only what changed since Quick WAN 1.0.0, which this Engine does not have; nothing was loaded. Install the full bundle of 1.0.1 instead`,
    ])
  })

  it('a bundle of which a part is missing, whichever', async () => {
    for (const number of [1, 2, 3]) {
      await rename(part(number), away())
      expect(await refused(folder)).toEqual([
        2,
        `install.sh: ${bundle}.00${number}, a part of ${bundle}, is missing; nothing was loaded. Copy it into the folder of install.sh, ${again}`,
      ])
      await rename(away(), part(number))
    }
  })

  it('parts that have each other’s names, and one that is cut short', async () => {
    const damaged = (number: number): unknown => [
      2,
      `install.sh: ${bundle}.00${number}, a part of ${bundle}, is damaged, or has the name of another; nothing was loaded. Copy it once more, ${again}`,
    ]
    const swap = async (): Promise<void> => {
      await rename(part(1), away())
      await rename(part(2), part(1))
      await rename(away(), part(2))
    }
    await swap()
    expect(await refused(folder)).toEqual(damaged(1))
    await swap()
    await copyFile(part(2), away())
    await truncate(part(2), 1_000_000)
    expect(await refused(folder)).toEqual(damaged(2))
    await rename(away(), part(2))
  })
})

describe('install.sh', () => {
  it('checks the bundle with whatever program of the host hashes', async () => {
    const programs = ['sha256sum', 'shasum', 'openssl']
    const ends = await Promise.all(
      programs.map(async (one) => (await install(folder, { PATH: await toolFolder(one, [one]) })).last),
    )
    const checked = `install.sh: The Docker Engine did not take the installer, for the reason above; put that right, ${again}`
    expect(ends).toEqual(programs.map(() => checked))
    expect(await install(folder, { PATH: await toolFolder('none', []) })).toMatchObject({
      exitCode: 3,
      last: `install.sh: This host has no sha256sum, shasum or openssl, so that the bundle cannot be checked; install one of them, ${again}`,
    })
  })

  it('left by Ctrl-C while it loads the installer leaves nothing', async () => {
    const { exitCode } = await host.onTerminal(folder, line, '\x03', {
      when: 'before',
      what: 'POST /images/load',
    })
    expect({ exitCode, left: await host.everything() }).toEqual({ exitCode: 130, left: nothing })
  })

  it('joins the parts of a bundle, and run again changes nothing', async () => {
    expect(await install()).toMatchObject({ exitCode: 0 })
    whole = await host.everything()
    const second = await install()
    expect(second.stdout.split('\n')[0]).toBe(`${command} is as it should be; nothing was changed.`)
    expect(await host.everything()).toEqual(whole)
  })

  it('takes away what a killed command made and never started, not what a living one is about to start', async () => {
    const { containers } = host.engine
    const made = (by: number): Promise<string> =>
      containers.create(`made-by-${by}`, {
        Image: `${command}-installer:1.0.0`,
        Labels: {
          'io.slipway.installer': command,
          'io.slipway.verb': 'install',
          'io.slipway.process': `${os.hostname()} ${by}`,
        },
        HostConfig: { NetworkMode: 'none' },
      })
    const living = await made(process.pid)
    await made(spawnSync('true').pid)
    // Ended, and nobody asks how: the shell that would have is another program by now.
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 600'])
    await made(Number(String((await once(parent.stdout, 'data'))[0])))
    expect(await install()).toMatchObject({ exitCode: 0 })
    parent.kill()
    const names = (await containers.list()).map(({ name }) => name)
    await containers.remove(living)
    expect(names.filter((name) => name.startsWith('made-by-'))).toEqual([`made-by-${process.pid}`])
    expect(await host.everything()).toEqual(whole)
  })

  it('names a part that is cut short behind the installer too, and changes nothing', async () => {
    const { size } = await stat(part(3))
    await copyFile(part(3), away())
    await truncate(part(3), 1_000_000)
    expect(await install()).toMatchObject({
      exitCode: 2,
      last: `${command}: ${bundle} is refused: its part ${bundle}.003 has 1000000 bytes, and ${bundle}.parts says ${size}. Nothing was loaded; get the file from its vendor again.`,
    })
    await rename(away(), part(3))
    expect(await host.everything()).toEqual(whole)
  })

  it('killed at one stage after the other, it or its program or all of the host, gets on each time and finishes', async () => {
    await host.clear()
    const cuts: readonly (readonly [Victim, Moment])[] = [
      ['script', { when: 'after', what: 'POST /containers/create' }],
      ['program', { when: 'after', what: 'POST /containers/*/start' }],
      // With the mutex, while the image is loaded, and later.
      ['program', { when: 'after', what: 'POST /containers/create', count: 2 }],
      ['host', { when: 'before', what: 'POST /images/load' }],
      ['program', { when: 'after', what: 'POST /networks/create' }],
      ['host', { when: 'after', what: `POST /containers/${command}-dns-1/start` }],
      ['program', { when: 'after', what: 'PUT /containers/*/archive' }],
    ]
    const ends: unknown[] = []
    for (const [victim, moment] of cuts) ends.push(await host.killedAt(folder, line, victim, moment))
    expect(ends).toEqual(cuts.map(([victim]) => (victim === 'program' ? 137 : 'SIGKILL')))
    const { atWork } = JSON.parse((await host.type(folder, [command, 'status', '--json'])).stdout)
    expect(atWork).toEqual({
      run: expect.stringMatching(/^install, by \S+ on \S+ \(process \d+\), since /),
      ended: 'its process has ended',
    })
    expect(await install()).toMatchObject({ exitCode: 0 })
    expect(await host.everything()).toEqual(whole)
  })
})

describe('the command that install.sh leaves', () => {
  it('brings a backup to a host that has nothing yet, from a bundle in parts, and plans nothing more', async () => {
    const part = `${bundle}.001`
    const backup = path.join(host.scratch.path, 'site.backup')
    expect(await host.type(folder, [command, 'backup', backup])).toMatchObject({ exitCode: 0 })
    await host.clear()
    const restored = await host.type(folder, [command, 'restore', backup, '--bundle', part])
    expect(restored).toMatchObject({ exitCode: 0 })
    expect(await host.everything()).toEqual(whole)
    const plan = await host.type(folder, [command, 'plan', '--bundle', part, '--json'])
    expect(JSON.parse(plan.stdout)).toMatchObject({
      release: '1.0.0',
      settings: { 'dns.port': ports[1]?.slice(9), 'optimiser.port': ports[3]?.slice(15) },
      steps: [],
    })
    const preflight = await host.type(folder, [command, 'preflight', '--bundle', part, '--json'])
    expect(JSON.parse(preflight.stdout)).toMatchObject({ name: command })
  })

  it('puts its plan into a support bundle', async () => {
    const { stdout } = await host.type(folder, [command, 'support-bundle', '--json'])
    const { collectors } = JSON.parse(stdout) as BundleManifest
    expect(collectors.filter(({ outcome }) => outcome !== 'done')).toEqual([])
    expect(collectors.at(-1)?.files.map(({ path }) => path)).toEqual(['plan.json'])
  })
})

describe('on a terminal', () => {
  it('Ctrl-C takes back what was done and ends with 130', async () => {
    await host.clear()
    const before = await host.everything()
    for (const what of ['POST /images/load', `POST /containers/${command}-dns-1/start`]) {
      const { exitCode, said } = await host.onTerminal(folder, line, '\x03', { when: 'before', what })
      expect({ exitCode, said, left: await host.everything() }).toEqual({ exitCode: 130, said, left: before })
    }
  })

  it('the program draws progress, asks, and takes no or yes for an answer', async () => {
    const installed = await host.onTerminal(folder, line)
    expect(installed).toMatchObject({
      exitCode: 0,
      said: expect.stringContaining('\r\x1b[Kload cut-wan:1.0.0 '),
    })
    const uninstall = (answer: string) =>
      host.onTerminal(folder, [command, 'uninstall'], `${answer}\r`, /Go on\? \[y\/N\] /)
    const no = await uninstall('n')
    expect([no.exitCode, await host.everything()]).toEqual([2, whole])
    const yes = await uninstall('y')
    expect([yes.exitCode, await host.everything()]).toMatchObject([0, { containers: [], volumes: [] }])
  })
})

describe('preflight in the installer image', () => {
  it('names the container of the host’s network that holds a port', async () => {
    const listen = 'require("net").createServer().listen(27128)'
    const run = ['docker', 'run', '--detach', '--name', 'stranger', '--network', 'host', '--expose', '27128']
    const image = ['--entrypoint', 'node', `${command}-installer:1.0.0`, '-e', listen]
    expect(await host.type(folder, [...run, ...image])).toMatchObject({ exitCode: 0 })
    const looked = await until('the port is held', async () => {
      const words = [command, 'preflight', '--json', '--profile', 'branch', ...ports]
      const { findings } = JSON.parse((await host.type(folder, words)).stdout)
      return findings.find(({ check }: { check: string }) => check === 'port 27128/tcp')
    })
    expect(looked.says).toBe('Port 27128/tcp of this host is in use by container stranger')
  })
})

/** A folder for PATH: what install.sh calls, programs that hash, and a docker that has no image and takes none. */
async function toolFolder(name: string, hashing: readonly string[]): Promise<string> {
  const tools = path.join(host.scratch.path, `tools-${name}`)
  await mkdir(tools)
  for (const tool of ['sh', 'cat', 'head', 'sed', 'dirname', 'rm', 'perl', ...hashing]) {
    const { stdout } = await execa('sh', ['-c', `command -v ${tool}`])
    await symlink(stdout, path.join(tools, tool))
  }
  const docker = '#!/bin/sh\n[ "$1" = version ] && echo linux amd64\n'
  await writeFile(path.join(tools, 'docker'), docker, { mode: 0o755 })
  return tools
}
