import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Finding } from '../../src/host/finding.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { writeServiceBundle } from '../support/service-bundle.ts'
import { slipway } from '../support/slipway.ts'
import { tinyPublicKey } from '../support/tiny-bundle.ts'
import { keeperService, writeTinyProduct } from '../support/tiny-services.ts'

const name = `slipway-preflight-${process.pid}`
const { layoutDirectory, productDirectory } = builtImage()
const ports = ['--set', 'dns.port=127.0.0.1:24353', '--set', 'optimiser.port=127.0.0.1:24328']
let holder: Server
let scratch: Scratch

const run = (verb: string, parameters: readonly string[], env = {}) =>
  slipway(
    ['-C', productDirectory, verb, layoutDirectory, '--name', name, '--profile', 'branch', ...parameters],
    { env },
  )

beforeAll(async () => {
  scratch = await makeScratch('preflight')
  holder = createServer().listen(24328, '127.0.0.1')
  await once(holder, 'listening')
})

afterAll(async () => {
  holder.close()
  await slipway(['uninstall', '--name', name, '--yes'])
  const { images } = await connectEngine()
  if (await images.inspect(`${name}:1.0.0`)) await images.remove(`${name}:1.0.0`)
  await scratch.remove()
})

describe('slipway preflight', () => {
  it('names the program that holds a port, and ends with exit code 3; install refuses the same, before it makes anything', async () => {
    const looked = await run('preflight', [...ports, '--json'])
    expect(looked.exitCode).toBe(3)
    const { result, findings } = JSON.parse(looked.stdout) as { result: string; findings: Finding[] }
    expect(result).toBe('fail')
    expect(findings.filter((one) => one.status === 'fail')).toEqual([
      {
        check: 'port 24328/tcp',
        status: 'fail',
        says: `Port 24328/tcp of this host is in use by node (process ${process.pid})`,
        fix: 'stop that, or give the profile another port, then run the same command again',
      },
    ])
    const refused = await run('install', ports)
    expect([refused.exitCode, refused.stderr]).toEqual([
      3,
      `slipway: Port 24328/tcp of this host is in use by node (process ${process.pid}); stop that, or give the profile another port, then run the same command again.`,
    ])
    const { containers } = await connectEngine()
    expect((await containers.list()).filter((one) => one.name.startsWith(name))).toEqual([])
  })

  it('passes where nothing is in the way, with a line for each thing it looked at', async () => {
    const free = ['--set', 'dns.port=127.0.0.1:24353', '--set', 'optimiser.port=127.0.0.1:24329']
    const { exitCode, stdout } = await run('preflight', free)
    expect(exitCode).toBe(0)
    const lines = stdout.split('\n')
    expect(
      lines.filter((line) => /^[✔!✘]/.test(line)).map((line) => line.split(/ {2,}/)[0]?.slice(2)),
    ).toEqual([
      'engine',
      'containers',
      'memory',
      'memory limits',
      'disk',
      'storage',
      'ports',
      'names',
      'time',
    ])
    expect(lines.at(-1)).toMatch(/ can be installed here/)
  })

  it('refuses an install that asks for more memory than the host has', async () => {
    const { exitCode, stderr } = await run('install', [
      ...['--set', 'dns.port=127.0.0.1:24353', '--set', 'optimiser.port=127.0.0.1:24329'],
      ...['--set', 'optimiser.memory=900t'],
    ])
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(
      /^slipway: The profile branch gives its services 921600\.1 GiB; the host has [\d.]+ [GM]iB; choose a smaller profile, or give less \(`--set optimiser\.memory=…`\)\.$/,
    )
  })

  it('where no Engine answers says so, as a finding with its fix', async () => {
    const { exitCode, stdout } = await run('preflight', [], { DOCKER_HOST: 'tcp://127.0.0.1:1' })
    expect(exitCode).toBe(3)
    expect(stdout.split('\n')).toEqual([
      '✘ engine  No Docker Engine answers at tcp://127.0.0.1:1 (from DOCKER_HOST).',
      '          → start it there, or point DOCKER_HOST at another, then run the same command again.',
      `${name} cannot be installed here yet: 0 pass, 0 warn, 1 fail.`,
    ])
  })

  it('judges a bundle by the product that is in it, from any folder; one that is refused is bad input', async () => {
    const key = path.join(scratch.path, 'vendor.pub')
    await writeFile(key, tinyPublicKey.export({ type: 'spki', format: 'pem' }))
    const bundle = await writeServiceBundle(path.join(scratch.path, 'bundle'), { name })
    const judge = (...more: string[]) =>
      slipway(['preflight', '--bundle', bundle, ...more], { cwd: scratch.path })
    const good = await judge('--key', key, '--json')
    expect([good.exitCode, JSON.parse(good.stdout)]).toMatchObject([0, { name, result: 'pass' }])
    const { exitCode, stdout, stderr } = await judge()
    expect([exitCode, stdout, stderr.split('\n').at(-1)]).toEqual([
      2,
      '',
      expect.stringMatching(
        /^slipway: .* is signed by .*; name the vendor's public key with --key PUB or in SLIPWAY_KEY\.$/,
      ),
    ])
  })

  it('refuses a file of the host that a service mounts and that is missing, before the Engine makes a folder of it', async () => {
    const mounting = async (file: string) => {
      const { directory, layout } = await writeTinyProduct(scratch.path, {
        name,
        services: keeperService(`volumes: ["${file}:/run/key:ro", "data:/data"]`),
        rest: 'volumes: { data: {} }\n',
      })
      const type = (verb: string, ...more: string[]) =>
        slipway(['-C', directory, verb, layout, '--name', name, ...more])
      const { findings } = JSON.parse((await type('preflight', '--json')).stdout) as { findings: Finding[] }
      const finding = findings.find(({ check }) => check === 'mount')
      const { exitCode, stderr } = await type('install')
      return { finding, exitCode, last: stderr.split('\n').at(-1) }
    }
    const missing = path.join(scratch.path, 'missing.key')
    const says = `${missing} of the Engine's host, which keeper mounts, is not there`
    const fix = 'put it there, or let the profile name another, then run the same command again'
    expect(await mounting(missing)).toEqual({
      finding: { check: 'mount', status: 'fail', says, fix },
      exitCode: 3,
      last: `slipway: ${says}; ${fix}.`,
    })
    expect(await readdir(scratch.path)).not.toContain('missing.key')
    const { containers } = await connectEngine()
    expect((await containers.list()).filter((one) => one.name.startsWith(name))).toEqual([])
    // What every host and container has.
    const there = "/etc/hostname of the Engine's host, which keeper mounts, is there"
    expect(await mounting('/etc/hostname')).toMatchObject({
      finding: { check: 'mount', status: 'pass', says: there },
      exitCode: 0,
    })
  })
})
