import { copyFile, link, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { remainder, scriptDigest } from '../../src/debian/script.ts'
import type { TarEntry } from '../../src/debian/tar-reader.ts'
import { installedPackages, openImage } from '../../src/image/image-files.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { sha256Hex } from '../../src/lib/digest.ts'
import type { Lockfile } from '../../src/lock/lockfile.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { makeDeb } from '../support/tiny-deb.ts'
import { makeTar } from '../support/tiny-tar.ts'

const preinst = `#!/bin/sh
set -e
# Before the package's own files are there.
test ! -e /usr/bin/acme-agent
mkdir -p /opt/acme/spool
`
const postinst = `#!/bin/sh
set -e
[ "$1" = configure ] && [ "$DPKG_MAINTSCRIPT_PACKAGE" = acme-agent ]
adduser --system --group --quiet --no-create-home --home /var/lib/acme acme
install -d -o acme -g acme -m 0750 /var/lib/acme /var/log/acme /var/cache/acme
date >/var/log/acme/install.log
date >/var/cache/acme/stamp
date >/var/lib/acme/../../../tmp/now
/usr/bin/acme-agent >/etc/acme-agent.id
chown acme:acme /opt/acme/spool
update-alternatives --install /usr/bin/agent agent /usr/bin/acme-agent 10
`
const product = `name: so-agent
version: 1.0.0
debian:
  suite: trixie
  keyrings: [images/keyrings/debian-13.asc, images/keyrings/debian-12.asc]
platforms: [linux/amd64]
layers: [base, agent, brand]
brand: { vendor: Acme, product: Acme Agent, command: so-agent, support: nobody }
`
const component = `packages: [netbase]
sources:
  - deb: acme-agent_1.2_all.deb
  - deb: ping.deb
  - tarball: data.tar.gz
    strip: 1
    target: /opt/acme
    owner: acme
    group: acme
    modes: { "bin/*": "0700" }
  - directory: files
    target: /etc/acme
`
const recipe = (script: string, text: string): string => `  - script: ${script}
    read: "1.2"
    sha256: [${scriptDigest(remainder(text))}]
    does: makes the user and the folders of the agent
    run: true
`

let scratch: Scratch
let directory: string
let lock: Lockfile

const put = async (file: string, content: string | Uint8Array): Promise<void> => {
  const whole = path.join(directory, ...file.split('/'))
  await mkdir(path.dirname(whole), { recursive: true })
  await writeFile(whole, content)
}

/** A cache with every .deb of the reference appliance, and no layer. */
async function emptyCache(name: string): Promise<NodeJS.ProcessEnv> {
  const cache = path.join(scratch.path, name)
  const from = path.join(builtImage().cacheDirectory, 'debs')
  await mkdir(path.join(cache, 'debs'), { recursive: true })
  for (const file of await readdir(from)) await link(path.join(from, file), path.join(cache, 'debs', file))
  return { SLIPWAY_CACHE: cache }
}

const type = (env: NodeJS.ProcessEnv, ...words: readonly string[]) => slipway(words, { cwd: directory, env })
const build = (env: NodeJS.ProcessEnv, out: string) =>
  type(env, 'build', '--out', path.join(scratch.path, out))
const manifestOf = async (out: string) =>
  (await readLayout(path.join(scratch.path, out), 'linux/amd64')).manifest.digest

beforeAll(async () => {
  scratch = await makeScratch('component-sources')
  directory = path.join(scratch.path, 'product')
  const { productDirectory, lockFile, cacheDirectory } = builtImage()
  await put('appliance.yaml', product)
  for (const key of ['debian-13.asc', 'debian-12.asc'])
    await put(
      `images/keyrings/${key}`,
      await readFile(path.join(productDirectory, 'images', 'keyrings', key)),
    )
  await put('compose/appliance.yaml', 'services:\n  agent:\n    image: so-agent:1.0.0\n')
  await put('profiles/site.yaml', 'description: A site\n')
  await put('images/base/component.yaml', 'essential: true\n')
  await put('images/agent/component.yaml', component)
  await put(
    'images/recipes/acme-agent.yaml',
    `package: acme-agent\nscripts:\n${recipe('preinst', preinst)}${recipe('postinst', postinst)}`,
  )
  const agent = { path: 'usr/bin/acme-agent', content: '#!/bin/sh\nid -un acme; hostname\n', mode: 0o755 }
  await put(
    'images/agent/acme-agent_1.2_all.deb',
    await makeDeb({
      name: 'acme-agent',
      version: '1.2',
      fields: { Depends: 'adduser, hostname, netbase (>= 1)' },
      files: [{ path: 'usr', type: 'directory' }, { path: 'usr/bin', type: 'directory' }, agent],
      control: { preinst, postinst },
    }),
  )
  const reference = JSON.parse(await readFile(lockFile, 'utf8')) as Lockfile
  const ping = reference.platforms['linux/amd64']!.packages.find(({ name }) => name === 'iputils-ping')!
  await copyFile(
    path.join(cacheDirectory, 'debs', `${ping.sha256}.deb`),
    path.join(directory, 'images/agent/ping.deb'),
  )
  await put(
    'images/agent/data.tar.gz',
    gzipSync(
      await makeTar([
        { path: 'acme-1.2/bin/tool', content: 'tool' },
        { path: 'acme-1.2/current', type: 'symlink', target: 'bin/tool' },
      ]),
    ),
  )
  await put('images/agent/files/agent.conf', 'site = here\r\n')
  const { exitCode, stderr } = await type(await emptyCache('first'), 'lock')
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  lock = JSON.parse(await readFile(path.join(directory, 'appliance.lock'), 'utf8'))
}, 120_000)
afterAll(() => scratch.remove())

describe('the lock', () => {
  it('holds local packages by hash, with what they need from the archive', () => {
    const { packages } = lock.platforms['linux/amd64']!
    const named = (name: string) => packages.find((one) => one.name === name)
    expect(named('acme-agent')).toMatchObject({
      suite: 'local',
      path: 'images/agent/acme-agent_1.2_all.deb',
      layer: 'agent',
      requestedBy: ['agent'],
      needs: ['adduser', 'hostname', 'netbase'],
    })
    expect(named('iputils-ping')).toMatchObject({ suite: 'local', path: 'images/agent/ping.deb' })
    expect(named('libidn2-0')).toMatchObject({ suite: 'trixie', layer: 'agent' })
  })

  it('holds folders and archives by hash, and says which scripts run', async () => {
    const archive = await readFile(path.join(directory, 'images', 'agent', 'data.tar.gz'))
    const { sources, runs } = lock.platforms['linux/amd64']!
    const common = { component: 'agent', layer: 'agent' }
    expect(sources).toEqual([
      {
        ...{ ...common, kind: 'tarball', path: 'images/agent/data.tar.gz' },
        ...{ size: archive.length, sha256: sha256Hex(archive) },
      },
      {
        ...{ ...common, kind: 'directory', path: 'images/agent/files' },
        ...{ size: 12, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ])
    const ran = { package: 'acme-agent', version: '1.2' }
    expect(runs).toEqual([
      { ...ran, script: 'preinst', sha256: sha256Hex(preinst) },
      { ...ran, script: 'postinst', sha256: sha256Hex(postinst) },
    ])
  })
})

describe('the image', () => {
  let files: ReadonlyMap<string, TarEntry>
  const facts = (name: string) => {
    const entry = files.get(name)
    if (!entry) return undefined
    const what = entry.content ? Buffer.from(entry.content).toString() : (entry.target ?? entry.type)
    return `${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${what}`
  }
  let ids: string

  beforeAll(async () => {
    const first = await build(await emptyCache('first-build'), 'first-out')
    expect({ exitCode: first.exitCode, stderr: first.stderr }).toMatchObject({ exitCode: 0 })
    files = (await openImage(await readLayout(path.join(scratch.path, 'first-out'), 'linux/amd64'))).files
    const [, , uid, gid] = /^acme:.*$/m
      .exec(Buffer.from(files.get('etc/passwd')!.content!).toString())![0]
      .split(':')
    ids = `${uid}:${gid}`
  }, 120_000)

  it('holds the users, folders and files that the scripts made, and none of their logs and caches', () => {
    expect(['var/lib/acme', 'var/log/acme', 'var/cache/acme', 'opt/acme/spool'].map(facts)).toEqual([
      `750 ${ids} directory`,
      `750 ${ids} directory`,
      `750 ${ids} directory`,
      `755 ${ids} directory`,
    ])
    expect(facts('etc/acme-agent.id')).toBe('644 0:0 acme\nslipway\n')
    expect(facts('usr/bin/agent')).toBe('777 0:0 /etc/alternatives/agent')
    expect(facts('etc/alternatives/agent')).toBe('777 0:0 /usr/bin/acme-agent')
    const shadow = Buffer.from(files.get('etc/shadow')!.content!).toString()
    expect(shadow).toMatch(
      new RegExp(`^acme:!\\*?:${Math.floor(files.get('var/lib/acme')!.mtime / 86_400)}:`, 'm'),
    )
    const left = [
      'var/log/acme/install.log',
      'var/cache/acme/stamp',
      'tmp/now',
      'usr/sbin/policy-rc.d',
      'etc/passwd-',
    ]
    expect(left.filter((name) => files.has(name))).toEqual([])
    const dates = new Set(
      [...files].filter(([name]) => name.includes('acme')).map(([, entry]) => entry.mtime),
    )
    expect(Math.max(...dates)).toBeLessThan(Date.now() / 1000 - 3600)
  })

  it('holds the archive and the folder where they were asked for', () => {
    expect(['opt/acme/bin/tool', 'opt/acme/current', 'etc/acme/agent.conf'].map(facts)).toEqual([
      `700 ${ids} tool`,
      `777 ${ids} bin/tool`,
      '644 0:0 site = here\n',
    ])
  })

  it('has local packages in its database as any other', () => {
    const packages = installedPackages(files)
    expect([packages.get('acme-agent'), packages.has('iputils-ping')]).toEqual(['1.2', true])
  })

  it('is the same from another empty cache, and comes without an Engine from a full one', async () => {
    const cache = await emptyCache('second-build')
    expect((await build(cache, 'second-out')).exitCode).toBe(0)
    const nowhere = { ...cache, DOCKER_HOST: 'unix:///nowhere/docker.sock' }
    expect((await build(nowhere, 'third-out')).exitCode).toBe(0)
    const [first, second, third] = await Promise.all(['first-out', 'second-out', 'third-out'].map(manifestOf))
    expect([second, third]).toEqual([first, first])
  }, 120_000)
})

describe('a build is refused in one sentence', () => {
  it('without an Engine, where scripts must run', async () => {
    const file = path.join(directory, 'images', 'recipes', 'acme-agent.yaml')
    const known = await readFile(file, 'utf8')
    await writeFile(file, `${known}# Another recipe, and so another layer.\n`)
    const cache = path.join(scratch.path, 'first-build')
    const env = { SLIPWAY_CACHE: cache, DOCKER_HOST: 'unix:///nowhere/docker.sock' }
    const { exitCode, stderr } = await build(env, 'no-engine-out')
    expect(exitCode).toBe(1)
    expect(stderr).toContain(
      'To run the preinst of acme-agent 1.2, the postinst of acme-agent 1.2, the build needs a Docker Engine: ',
    )
    await writeFile(file, known)
  }, 60_000)

  it('where a source is not as it was locked', async () => {
    await put('images/agent/files/agent.conf', 'site = elsewhere\n')
    const { exitCode, stderr } = await build({ SLIPWAY_CACHE: path.join(scratch.path, 'first') }, 'stale-out')
    expect(exitCode).toBe(2)
    expect(stderr).toContain(
      'appliance.lock does not fit the definition: images/agent/files has changed since it was locked. Bring it up to date: slipway lock',
    )
    await put('images/agent/files/agent.conf', 'site = here\n')
  })
})
