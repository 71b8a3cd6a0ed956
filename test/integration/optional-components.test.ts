import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFile, link, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayout } from '../../src/image/read-layout.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { readTypedDoc, type TypedStep } from '../support/typed-doc.ts'

/** The two ends of the tunnel: far is before the origins, near is where clients are. */
const far = `so-far-${process.pid}`
const near = `so-near-${process.pid}`
const tunnelPort = 29_801
const entrance = 'http://127.0.0.1:29802'
const balanced = 'http://127.0.0.1:28001'
const origins: Server[] = []
let scratch: Scratch
let directory: string
let env: NodeJS.ProcessEnv
let sections: ReadonlyMap<string, readonly TypedStep[]>
/** This machine as containers see it. */
const host = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address

const type = (...words: readonly string[]) => slipway(words, { cwd: directory, env })

async function install(name: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const set = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  const done = await type('install', '--name', name, '--profile', 'branch', '--yes', ...set)
  expect(done.exitCode, done.stderr).toBe(0)
}

/** The files that a section of the page tells to write. */
async function writeFiles(heading: string): Promise<void> {
  for (const step of sections.get(heading)!) if (step.type === 'file') await put(step.file, step.text)
}

/** What a client gets, or curl's exit code. */
async function fetchText(url: string): Promise<string> {
  const { stdout, exitCode } = await execa('curl', ['-s', '--noproxy', '*', '-m', '5', url], {
    reject: false,
  })
  return exitCode === 0 ? stdout : `curl ${exitCode}`
}

const put = async (file: string, text: string): Promise<void> => {
  const whole = path.join(directory, ...file.split('/'))
  await mkdir(path.dirname(whole), { recursive: true })
  await writeFile(whole, text, { mode: 0o600 })
}

beforeAll(async () => {
  scratch = await makeScratch('optional-components')
  directory = path.join(scratch.path, 'product')
  env = { SLIPWAY_CACHE: path.join(scratch.path, 'cache') }
  for (const folder of ['debs', 'layers']) {
    const from = path.join(builtImage().cacheDirectory, folder)
    const to = path.join(scratch.path, 'cache', folder)
    await mkdir(to, { recursive: true })
    for (const file of await readdir(from)) await link(path.join(from, file), path.join(to, file))
  }
  sections = await readTypedDoc('own-service.md')
  await writeFiles('A folder and a file')
  await writeFiles('The tunnel and HAProxy')
  for (const end of ['right', 'wrong']) await put(`${end}.key`, `${randomBytes(32).toString('base64')}\n`)
  for (const word of ['one', 'two']) {
    const server = createServer((_, response) => response.end(word)).listen(0, '0.0.0.0')
    await once(server, 'listening')
    origins.push(server)
  }
  for (const verb of [['lock'], ['build'], ['test']]) {
    const done = await type(...verb)
    expect(done.exitCode, done.stderr + done.stdout).toBe(0)
  }
  const places = origins.map((server) => `${host}:${(server.address() as AddressInfo).port}`)
  await install(far, {
    'dns.port': '127.0.0.1:28053',
    'optimiser.port': '127.0.0.1:28128',
    'haproxy.port': '127.0.0.1:28001',
    'haproxy.origins': places.join(' '),
    'tunnel.role': 'server',
    'tunnel.target': 'haproxy:8080',
    'tunnel.port': `${host}:${tunnelPort}`,
    'tunnel.keyFile': path.join(directory, 'right.key'),
  })
}, 240_000)

afterAll(async () => {
  for (const server of origins) server.close()
  await Promise.all([far, near].map((name) => type('uninstall', '--name', name, '--yes')))
  await execa('docker', ['image', 'rm', 'so-acme:1.0.0'], { reject: false })
  await scratch.remove()
}, 120_000)

describe('optional components', () => {
  it('change no layer beneath them', async () => {
    const without = path.join(scratch.path, 'without')
    const yaml = await readFile(path.join(directory, 'appliance.yaml'), 'utf8')
    await mkdir(without)
    await writeFile(path.join(without, 'appliance.yaml'), yaml.replace(/^optional: .*$/m, ''))
    // The same versions, whatever the archive has by now.
    await copyFile(path.join(directory, 'appliance.lock'), path.join(without, 'appliance.lock'))
    for (const verb of ['lock', 'build']) {
      const done = await slipway(['-C', without, verb], { env })
      expect(done.exitCode, done.stderr + done.stdout).toBe(0)
    }
    const digests = async (product: string) =>
      (await readLayout(path.join(product, 'build'), 'linux/amd64')).layers.map(({ digest }) => digest)
    const beneath = (await digests(without)).slice(0, -1)
    expect(beneath.length).toBe(4)
    expect((await digests(directory)).slice(0, 4)).toEqual(beneath)
  })

  it('run as users of their own, with the least they need', async () => {
    const facts = async (service: string) => {
      const format = '{{.Config.User}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}}'
      const { stdout } = await execa('docker', ['inspect', '--format', format, `${far}-${service}-1`])
      const top = await execa('docker', [
        'exec',
        `${far}-${service}-1`,
        'sh',
        '-c',
        'for one in /proc/[0-9]*; do grep -qs "^\\(kcptun\\|haproxy\\)" $one/comm && awk "/^(Uid|CapEff)/ { print \\$2 }" $one/status; done',
      ])
      return [stdout, ...top.stdout.split('\n').slice(0, 2)]
    }
    expect(await facts('haproxy')).toEqual(['haproxy [ALL] []', '998', '0000000000000000'])
    const caps = '[KILL NET_ADMIN SETGID SETUID]'
    expect(await facts('tunnel')).toEqual([` [ALL] ${caps}`, '997', '0000000000000000'])
  })
})

describe('HAProxy', () => {
  it('hands requests to a site’s servers in turn', async () => {
    const answers = [await fetchText(balanced), await fetchText(balanced)]
    expect(answers.sort()).toEqual(['one', 'two'])
  })
})

describe('the tunnel', () => {
  const settings = {
    'dns.port': '127.0.0.1:28054',
    'optimiser.port': '127.0.0.1:28129',
    'haproxy.port': '127.0.0.1:28002',
    'tunnel.server': `${host}:${tunnelPort}`,
    'tunnel.port': '127.0.0.1:29802',
  }

  it('carries a client’s requests to the other end', async () => {
    await install(near, { ...settings, 'tunnel.keyFile': path.join(directory, 'right.key') })
    const answers = [await fetchText(entrance), await fetchText(entrance)]
    expect(answers.sort()).toEqual(['one', 'two'])
    const { stdout } = await execa('docker', ['inspect', `${near}-tunnel-1`])
    expect(stdout).not.toContain((await execa('cat', [path.join(directory, 'right.key')])).stdout)
  }, 120_000)

  it('is not reset where its key is gone from the host: the old one goes on', async () => {
    const key = path.join(directory, 'right.key')
    await rename(key, `${key}.away`)
    const done = await type('reset', 'clean', '--name', near, '--service', 'tunnel', '--yes')
    expect([done.exitCode, done.stderr.split('\n').at(-1), await fetchText(entrance)]).toEqual([
      3,
      `slipway: ${key} of the Engine's host, which tunnel mounts, is not there; put it there, or let the profile name another, then run the same command again.`,
      expect.stringMatching(/^(one|two)$/),
    ])
    // No Engine made a folder of it.
    await rename(`${key}.away`, key)
  })

  it('carries nothing with another key, nor for strangers, who are no clients of HAProxy either', async () => {
    await install(near, { 'tunnel.keyFile': path.join(directory, 'wrong.key') })
    expect(await fetchText(entrance)).toBe('curl 28')
    await install(near, {
      'tunnel.keyFile': path.join(directory, 'right.key'),
      allowedNetworks: '203.0.113.0/24',
    })
    expect([await fetchText(entrance), await fetchText('http://127.0.0.1:28002')]).toEqual([
      expect.stringMatching(/^curl (7|52|56)$/),
      expect.stringMatching(/^curl (7|52|56)$/),
    ])
  }, 120_000)
})

describe('a folder in images/ and a file in compose/', () => {
  it('are all that a service of the partner’s own takes: it is built, installed and healthy', async () => {
    const { stdout } = await type('status', '--name', far, '--json')
    const services = (JSON.parse(stdout) as { services: { service: string; health: string }[] }).services
    expect(services.map(({ service, health }) => `${service} ${health}`).sort()).toEqual([
      'beat healthy',
      'dns healthy',
      'haproxy healthy',
      'optimiser healthy',
      'tunnel healthy',
    ])
  })
})

describe('another optimiser than Squid', () => {
  it('is a component and a few lines, as docs/own-service.md tells', async () => {
    const heading = 'Instead of Squid'
    await writeFiles(heading)
    const [cd, ...commands] = sections.get(heading)!.filter((step) => step.type === 'command')
    const there = path.join(directory, cd!.words[1]!)
    for (const { words } of commands) {
      const done = await slipway(words.slice(1), { cwd: there, env })
      expect([words.join(' '), done.exitCode, done.exitCode === 0 ? '' : done.stderr]).toEqual([
        words.join(' '),
        0,
        '',
      ])
    }
    const { layers } = await readLayout(path.join(there, 'build'), 'linux/amd64')
    expect(layers).toHaveLength(5)
  }, 120_000)
})
