import { copyFile, cp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installScripts } from '../../src/bundle/installer/install-scripts.ts'
import { findMirror } from '../../src/debian/mirrors.ts'
import { loadDefinition } from '../../src/definition/load.ts'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { until } from '../support/until.ts'
import { copyWithWindowsLines, linkFolder, WindowsHost } from '../support/windows-host.ts'

const { layoutDirectory, lockFile, cacheDirectory, productDirectory } = builtImage()
const name = `slipway-windows-${process.pid}`
const product = 'C:\\Partner Files\\my product'
const productFiles = ['appliance.yaml', 'images', 'compose', 'profiles']
let scratch: Scratch
let host: WindowsHost
let engine: Engine

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await makeScratch('windows')
  host = await WindowsHost.start(scratch.path, engine.endpoint)
  await copyWithWindowsLines(productDirectory, path.join(host.files, 'my product'), productFiles)
  await linkFolder(path.join(cacheDirectory, 'debs'), path.join(host.files, 'cache', 'debs'))
})
afterAll(async () => {
  await slipway(['uninstall', '--name', name, '--yes'])
  await host?.stop()
  await scratch.remove()
})

/** What it printed, from a verb that ended well. */
async function succeed(...parameters: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.slipway(['-C', product, ...parameters])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.any(String) })
  return stdout
}

const container = (service: string) => engine.containers.inspect(`${name}-${service}-1`)

/** The Engine's own check comes after the command line's, at its next interval. */
function healthy(service: string): Promise<true> {
  return until(`${service} to be healthy`, async () =>
    (await container(service))?.State.Health?.Status === 'healthy' ? true : undefined,
  )
}

/** Under Wine, which is not Windows: docs/windows.md says what that leaves open. */
describe('the command line in the Windows build of Node', () => {
  it('locks to the same bytes as on Linux, from files with Windows line ends', async () => {
    const linux = path.join(scratch.path, 'product')
    for (const one of productFiles)
      await cp(path.join(productDirectory, one), path.join(linux, one), { recursive: true })
    const { debian } = await loadDefinition(linux)
    const [SLIPWAY_MIRROR, SLIPWAY_SECURITY_MIRROR] = await Promise.all(
      (['main', 'security'] as const).map(async (kind) => (await findMirror(kind, debian)).urls[0]),
    )
    const env = { SLIPWAY_MIRROR, SLIPWAY_SECURITY_MIRROR }
    const [there, here] = await Promise.all([
      host.slipway(['lock'], { cwd: 'my product', env }),
      slipway(['-C', linux, 'lock'], { env: { ...env, SLIPWAY_CACHE: cacheDirectory } }),
    ])
    expect([there, here]).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }])
    const locks = [path.join(host.files, 'my product'), linux].map((one) => path.join(one, 'appliance.lock'))
    const [windows, expected] = await Promise.all(locks.map((file) => readFile(file, 'utf8')))
    expect(windows).toBe(expected)
  })

  it('builds the digest that Linux builds', async () => {
    await rm(path.join(host.files, 'my product', 'appliance.lock'))
    await copyFile(lockFile, path.join(host.files, 'my product', 'appliance.lock'))
    const built = JSON.parse(await succeed('build', '--platform', 'linux/amd64', '--json'))
    const { manifest } = await readLayout(layoutDirectory, 'linux/amd64')
    expect(built).toMatchObject({
      out: `${product}\\build`,
      images: [{ platform: 'linux/amd64', manifest: manifest.digest }],
    })
  })

  it('installs through the named pipe', async () => {
    const ports = ['--set', 'dns.port=127.0.0.1:24553', '--set', 'optimiser.port=127.0.0.1:24528']
    await succeed('install', '--name', name, '--profile', 'branch', ...ports, '--json')
    for (const service of ['dns', 'optimiser']) await healthy(service)
  })

  it('changes a memory limit', async () => {
    const said = await succeed('memory', 'dns', '96m', '--name', name)
    expect(said).toContain('dns of')
    expect(said).toContain('its cgroup says 96 MiB')
  })

  it('resets a service to clean', async () => {
    const before = await container('dns')
    const said = await succeed('reset', 'clean', '--service', 'dns', '--name', name, '--yes')
    expect(said).toContain(`dns of ${name} is reset (clean) and healthy.`)
    const after = await container('dns')
    await healthy('dns')
    expect(after?.Id).not.toBe(before?.Id)
  })

  it('collects evidence into a file on a drive', async () => {
    const target = 'C:\\Partner Files\\my evidence.tar.gz'
    const said = await succeed('support-bundle', target, '--name', name)
    expect(said).toContain(`${target} is what support needs to see; look through it before you send it.`)
    const { stdout } = await execa('tar', ['-tzf', path.join(host.files, 'my evidence.tar.gz')])
    const names = stdout.split('\n').map((line) => line.replace(/^[^/]*\//, ''))
    expect(names).toEqual(
      expect.arrayContaining([
        'manifest.json',
        `inspect/${name}-dns-1.json`,
        `logs/${name}-dns-1.log`,
        'drift.json',
        'plan.json',
      ]),
    )
  })

  it('uninstalls', async () => {
    await succeed('uninstall', '--name', name, '--yes')
    expect((await engine.containers.list()).filter((one) => one.name.startsWith(name))).toEqual([])
    expect((await engine.volumes.list()).filter((one) => one.Name.startsWith(name))).toEqual([])
  })

  it('says what is wrong with a path as it was typed', async () => {
    const { exitCode, stderr } = await host.slipway(['-C', 'D:\\nowhere', 'validate'])
    expect({ exitCode, stderr: stderr.trim() }).toEqual({
      exitCode: 2,
      stderr: expect.stringMatching(/^slipway: .*D:\\nowhere/),
    })
  })
})

/** Run by Wine's cmd, with a `docker` that says how it was called. */
describe('the command that install.ps1 leaves', () => {
  const call = (
    words: readonly string[],
    env: { RUN?: string; INSPECT?: string; SLIPWAY_NO_TTY?: string } = {},
  ) => host.type(['acme-wan.cmd', ...words], { cwd: 'my product', env })
  const imageGone =
    'acme-wan: The image of this command is no longer in the Docker Engine; bring it back with install.ps1 \r\n'

  beforeAll(async () => {
    const { 'install.ps1': script } = await installScripts({
      command: 'acme-wan',
      product: 'Acme WAN',
      version: '1.0.0',
      platform: 'linux/amd64',
      bundle: 'acme-wan-1.0.0-linux-amd64.tar',
      prefix: { size: 1, sha256: 'ab' },
      installer: { reference: 'acme-wan-installer:1.0.0', ids: ['sha256:01'], layers: ['sha256:0a'] },
    })
    const text = script.slice(script.indexOf("@'\r\n") + 4, script.lastIndexOf("\r\n'@"))
    const filled = text.replaceAll('@image@', 'sha256:01').replaceAll('@addresses@', '192.0.2.7')
    await writeFile(path.join(host.files, 'acme-wan.cmd'), `${filled}\r\n`)
    await host.placeDocker('my product', {
      run: 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(Number(process.env.RUN ?? 0))',
      image: 'process.exit(Number(process.env.INSPECT ?? 0))',
    })
  })

  it('gives the installer the Engine, this folder and each word as it was typed', async () => {
    const { exitCode, stdout } = await call(['backup', 'a b.tar', '--json'])
    const words = JSON.parse(stdout) as string[]
    const options = words.slice(0, words.indexOf('sha256:01'))
    expect([exitCode, words.slice(options.length + 1)]).toEqual([0, ['backup', 'a b.tar', '--json']])
    expect(options).toEqual(
      expect.arrayContaining([
        'SLIPWAY_HOST_ADDRESSES=192.0.2.7',
        'io.slipway.verb=backup',
        'type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock',
        `${product}:/work`,
      ]),
    )
    expect(options).not.toContain('--tty')
  })

  it('takes words with brackets, as a browser names a file that it brings again', async () => {
    const { exitCode, stdout, stderr } = await call(['install', '--licence', 'licence(1).json', '--json'])
    const words = JSON.parse(stdout) as string[]
    expect([exitCode, stderr, words.slice(-3)]).toEqual([0, '', ['--licence', 'licence(1).json', '--json']])
    expect(words).not.toContain('--tty')
  })

  it('asks for a terminal unless a program reads it', async () => {
    const options = async (env = {}): Promise<string[]> => JSON.parse((await call(['status'], env)).stdout)
    expect(await options()).toContain('--tty')
    expect(await options({ SLIPWAY_NO_TTY: '1' })).not.toContain('--tty')
  })

  it('ends as the installer ends, and says how it goes itself', async () => {
    expect(await call(['status'], { RUN: '6' })).toMatchObject({ exitCode: 6, stderr: '' })
    const gone = await call(['uninstall', '--yes'])
    expect([gone.exitCode, gone.stderr]).toEqual([
      0,
      'To remove this command and its image too: docker image rm sha256:01 && del "C:\\Partner Files\\acme-wan.cmd" \r\n',
    ])
  })

  it('says so where its image is gone', async () => {
    expect(await call(['status'], { RUN: '125', INSPECT: '1' })).toMatchObject({
      exitCode: 1,
      stderr: imageGone,
    })
    expect(await call(['status'], { RUN: '125' })).toMatchObject({ exitCode: 1, stderr: '' })
  })
})
