import { chmod, copyFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import type { Engine } from '../../src/engine/engine.ts'
import { loadImage } from '../../src/engine/load-image.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { silent } from '../../src/lib/progress.ts'
import { openPrivateApt } from './private-apt.ts'
import { makeScratch } from './scratch.ts'
import { repository, slipway } from './slipway.ts'

const sources = path.join(repository, 'test', 'support', 'engine-26')
const keyrings = path.join(repository, 'images', 'keyrings')

/** Builds the image of Engine 26.1 with Slipway from trixie's packages and loads it; returns its reference. */
export async function loadEngine26(outer: Engine, cacheDirectory: string): Promise<string> {
  const reference = 'slipway-test-engine:26.1.5'
  const scratch = await makeScratch('engine-26')
  try {
    const product = path.join(scratch.path, 'test', 'support', 'engine-26')
    await cp(sources, product, { recursive: true })
    await cp(keyrings, path.join(scratch.path, 'images', 'keyrings'), { recursive: true })
    const layout = path.join(scratch.path, 'layout')
    const run = (...parameters: string[]) =>
      slipway(['-C', product, ...parameters], { env: { SLIPWAY_CACHE: cacheDirectory } })
    let built = await run('build', '--out', layout)
    if (built.exitCode !== 0 && /no longer has .*slipway lock --update/.test(built.stderr)) {
      await run('lock', '--update')
      built = await run('build', '--out', layout)
    }
    if (built.exitCode !== 0) throw new Error(`Building the Engine's image failed:\n${built.stderr}`)
    await loadImage(outer, await readLayout(layout, 'linux/amd64'), [reference], silent)
    return reference
  } finally {
    await scratch.remove()
  }
}

/**
 * Makes an image of the newest Engine that Debian has, from sid; returns its reference. Sid changes by the hour, so its
 * packages are unpacked by apt's and dpkg's own tools: no lock of ours, and no recipe, would fit for long.
 */
export async function importNewestEngine(): Promise<string> {
  const reference = 'slipway-test-engine:newest'
  const scratch = await makeScratch('newest-engine')
  try {
    const root = path.join(scratch.path, 'root')
    for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
      await mkdir(path.join(root, 'usr', folder), { recursive: true })
      await symlink(`usr/${folder}`, path.join(root, folder))
    }
    const apt = await openPrivateApt(path.join(scratch.path, 'apt'), 'amd64', {
      suite: 'sid',
      archiveComponents: ['main'],
      updates: false,
      security: false,
      snapshots: [],
      keyrings: ['debian-13.asc', 'debian-12.asc'].map((name) => path.join(keyrings, name)),
    })
    const tools = ['coreutils', 'dash', 'iproute2', 'iptables', 'mount', 'procps']
    await apt.unpackWhole(['ca-certificates', 'docker.io', ...tools], root)
    const start = path.join('usr', 'lib', 'engine', 'start')
    await mkdir(path.dirname(path.join(root, start)), { recursive: true })
    await copyFile(path.join(sources, 'images', 'engine', 'rootfs', start), path.join(root, start))
    await chmod(path.join(root, start), 0o755)
    // What scripts that nobody runs here would have made.
    await mkdir(path.join(root, 'var'), { recursive: true })
    await symlink('/run', path.join(root, 'var', 'run'))
    for (const name of ['iptables', 'iptables-restore', 'iptables-save', 'ip6tables', 'ip6tables-restore'])
      await symlink('xtables-nft-multi', path.join(root, 'usr', 'sbin', name))
    await writeFile(path.join(root, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    await writeFile(path.join(root, 'etc', 'group'), 'root:x:0:\ndocker:x:998:\n')
    for (const folder of ['etc/docker', 'tmp', 'root', 'proc', 'sys', 'dev', 'run'])
      await mkdir(path.join(root, folder), { recursive: true })
    await execa('tar', ['-c', '-C', root, '.'], { buffer: false }).pipe('docker', ['import', '-', reference])
    return reference
  } finally {
    await scratch.remove()
  }
}
