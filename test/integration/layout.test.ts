import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLayout } from '../../src/image/read-layout.ts'
import type { Lockfile } from '../../src/lock/lockfile.ts'
import { builtImage, unpackImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'

let scratch: Scratch
let rootfs: string
let lock: Lockfile
let release: string

beforeAll(async () => {
  const { layoutDirectory, lockFile } = builtImage()
  scratch = await makeScratch('layout')
  lock = JSON.parse(await readFile(lockFile, 'utf8'))
  release = JSON.parse(await readFile(path.join(layoutDirectory, 'index.json'), 'utf8')).manifests[0]
    .annotations['org.opencontainers.image.ref.name']
  rootfs = await unpackImage(layoutDirectory, `${release}-amd64`, path.join(scratch.path, 'rootfs'))
})
afterAll(() => scratch.remove())

describe('skopeo', () => {
  it('accepts the index and both of its images', async () => {
    const { layoutDirectory } = builtImage()
    for (const architecture of ['amd64', 'arm64']) {
      const { stdout } = await execa('skopeo', [
        `--override-arch=${architecture}`,
        'inspect',
        `oci:${layoutDirectory}:${release}`,
      ])
      const { Architecture, Os, Layers, Created } = JSON.parse(stdout)
      expect({ Architecture, Os, layers: Layers.length, Created }).toEqual({
        Architecture: architecture,
        Os: 'linux',
        layers: 5,
        Created: lock.date.replace('.000Z', 'Z'),
      })
    }
  })

  it('copies all platforms to another layout, with the same digest', async () => {
    const { layoutDirectory } = builtImage()
    const copy = path.join(scratch.path, 'copy')
    await execa('skopeo', ['copy', '--all', `oci:${layoutDirectory}:${release}`, `oci:${copy}:${release}`])
    const digestOf = async (layout: string) =>
      JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8')).manifests[0].digest
    expect(await digestOf(copy)).toBe(await digestOf(layoutDirectory))
  })
})

describe('the package database', () => {
  const dpkg = (...parameters: string[]) => execa('dpkg', ['--root', rootfs, ...parameters])

  it('has nothing for `dpkg --audit` to say', async () => {
    expect((await dpkg('--audit')).stdout).toBe('')
  })

  it('has nothing for `dpkg -V` to say but the configuration that the components bring', async () => {
    expect((await dpkg('-V')).stdout).toBe('')
  })

  it('names the packages of the lock with their versions, and the one that stands for what is excluded', async () => {
    const { stdout } = await execa('dpkg-query', [
      '--admindir',
      path.join(rootfs, 'var', 'lib', 'dpkg'),
      '--show',
      '--showformat',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
      '${Package} ${Version} ${db:Status-Status}\n',
    ])
    const locked = lock.platforms['linux/amd64']!.packages.map(
      ({ name, version }) => `${name} ${version} installed`,
    )
    const found = stdout.split('\n').filter((line) => !line.startsWith('slipway-excluded '))
    expect(found.sort()).toEqual(locked.sort())
    expect(stdout).toMatch(/^slipway-excluded \S+ installed$/m)
  })

  it('satisfies `apt-get check`', async () => {
    const state = path.join(scratch.path, 'apt')
    const { stdout, stderr } = await execa('apt-get', [
      '-o',
      `Dir::State=${state}`,
      '-o',
      `Dir::State::status=${path.join(rootfs, 'var', 'lib', 'dpkg', 'status')}`,
      '-o',
      `Dir::Cache=${state}`,
      '-o',
      'Dir::Etc::sourcelist=/dev/null',
      '-o',
      'Dir::Etc::sourceparts=/dev/null',
      '-o',
      'Debug::NoLocking=true',
      'check',
    ])
    expect(`${stdout}${stderr}`).not.toMatch(/unmet|broken|E:/i)
  })
})

describe('the Engine', () => {
  it('loads a tar of the layout, with the configuration as the image ID', async () => {
    const { layoutDirectory } = builtImage()
    const tar = path.join(scratch.path, 'layout.tar')
    await execa('tar', ['--create', '--file', tar, '--directory', layoutDirectory, '.'])
    const { stdout } = await execa('docker', ['load', '--input', tar])
    const { config } = await readLayout(layoutDirectory, 'linux/amd64')
    const name = /Loaded image: (.*:[^-]*)$/m.exec(stdout)?.[1]
    const { stdout: id } = await execa('docker', ['image', 'inspect', '--format', '{{.Id}}', name!])
    expect(id).toBe(config.digest)
  })
})

describe('the checks that the definition declares', () => {
  it('hold on both platforms, without Docker', async () => {
    const { layoutDirectory, productDirectory } = builtImage()
    const env = { DOCKER_HOST: 'tcp://127.0.0.1:9' }
    const { exitCode, stdout } = await slipway(['-C', productDirectory, 'test', layoutDirectory, '--json'], {
      env,
    })
    const { failed, platforms } = JSON.parse(stdout)
    expect({
      exitCode,
      failed,
      platforms: platforms.map((one: { platform: string }) => one.platform),
    }).toEqual({
      exitCode: 0,
      failed: 0,
      platforms: ['linux/amd64', 'linux/arm64'],
    })
  })
})
