import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type InstallFacts, installScripts } from '../../../src/bundle/installer/install-scripts.ts'
import { sha256Hex } from '../../../src/lib/digest.ts'
import { typeOn } from '../../support/fake-docker.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

/** What stands in the scripts is run here by the host's own sh, with a `docker` that is a script. */
const beginning = Buffer.from('the installer image')
const facts: InstallFacts = {
  command: 'acme-wan',
  product: 'Acme WAN',
  version: '1.2.3',
  platform: 'linux/amd64',
  bundle: 'acme-wan-1.2.3-linux-amd64.tar',
  prefix: { size: beginning.length, sha256: sha256Hex(beginning) },
  installer: {
    reference: 'acme-wan-installer:1.2.3',
    ids: ['sha256:01', 'sha256:02'],
    layers: ['sha256:0a', 'sha256:0b'],
  },
}

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('install-sh')
  const { 'install.sh': script } = await installScripts(facts)
  const from = "<<'COMMAND'\n"
  const command = script.slice(script.indexOf(from) + from.length, script.lastIndexOf('\nCOMMAND\n') + 1)
  await mkdir(path.join(scratch.path, 'site'))
  await Promise.all([
    writeFile(path.join(scratch.path, 'install.sh'), script),
    writeFile(path.join(scratch.path, facts.bundle), Buffer.concat([beginning, Buffer.from('the rest')])),
    writeFile(path.join(scratch.path, 'acme-wan'), command.replace('@image@', 'sha256:01')),
  ])
})
afterEach(() => scratch.remove())

const has = (...ids: string[]): Record<string, string> => ({
  ...Object.fromEntries(ids.map((id) => [`image inspect *${id}*`, `echo ${id}`])),
  'image inspect *': 'exit 1',
})

describe('what Docker’s command warns of', () => {
  const warning =
    'WARNING: Error loading config file: open /home/bob/.docker/config.json: permission denied\n'
  const warn = `printf '${warning.replace('\n', '\\n\\n')}' >&2`

  it('is not what the Engine runs on', async () => {
    const answers = { ...has('sha256:01'), 'version *': `${warn}; echo linux amd64` }
    for (const line of ['sh install.sh --profile site', 'sh acme-wan status']) {
      const { exitCode, calls } = await typeOn(scratch.path, line, answers)
      expect([exitCode, calls.at(-1)]).toEqual([0, expect.stringMatching(/^run /)])
    }
  })

  it('is not why no Engine answers', async () => {
    const down = `${warn}; echo 'Cannot connect to the Docker daemon' >&2; exit 1`
    const { exitCode, stderr } = await typeOn(scratch.path, 'sh install.sh', { 'version *': down })
    expect([exitCode, stderr]).toEqual([
      3,
      'install.sh: No Docker Engine answers at unix:///var/run/docker.sock; start it (sudo systemctl start docker), then run: sh install.sh',
    ])
  })
})

describe('how often Docker’s command is asked', () => {
  it('is once for each thing: it takes a fortieth of a second each time', async () => {
    const words = ({ calls }: { calls: readonly string[] }) => calls.map((call) => call.split(' ')[0])
    const there = { ...has('sha256:01'), 'image inspect *': 'echo sha256:01 sha256:0a sha256:0b' }
    expect(words(await typeOn(scratch.path, 'sh install.sh', there))).toEqual([
      'version',
      'image',
      'ps',
      'info',
      'run',
    ])
    expect(words(await typeOn(scratch.path, 'sh acme-wan status', there))).toEqual(['version', 'info', 'run'])
  })
})

describe('an installer image that the Engine has', () => {
  const calls = async (answers: Record<string, string>) =>
    (await typeOn(scratch.path, 'sh install.sh', answers)).calls.map((call) => call.split(' ')[0])

  it.each([
    ['by an ID of the bundle', 'echo sha256:02 x y', 'echo', true],
    [
      'of the bundle’s layers in containerd’s store',
      'echo sha256:99 sha256:0a sha256:0b',
      'echo io.containerd.snapshotter',
      true,
    ],
    ['of the bundle’s layers by another ID elsewhere', 'echo sha256:99 sha256:0a sha256:0b', 'echo', false],
    ['of other layers', 'echo sha256:99 sha256:0a', 'echo io.containerd.snapshotter', false],
  ])('%s', async (_, inspect, info, isTaken) => {
    const found = await calls({ 'image inspect *': inspect, 'info *DriverStatus*': info })
    expect(found.includes('load')).toBe(!isTaken)
  })
})

describe('on hosts of many kinds', () => {
  const run = async (answers: Record<string, string>, env: NodeJS.ProcessEnv = {}) => {
    const { calls, ...rest } = await typeOn(
      path.join(scratch.path, 'site'),
      'sh ../acme-wan status',
      { ...has('sha256:01'), ...answers },
      env,
    )
    return { ...rest, call: calls.find((one) => one.startsWith('run ')) ?? '' }
  }

  it('what a shell warns of before Docker’s command runs is no answer of the Engine', async () => {
    const warned = {
      'version *': 'echo "bash: warning: setlocale: LC_ALL: cannot change locale" >&2; echo linux amd64',
    }
    expect((await run(warned)).exitCode).toBe(0)
  })

  it('Podman’s docker command is told from an Engine that is down', async () => {
    const podman = `echo "Error: template: version:1:20: can't evaluate field Arch in type *define.Version" >&2; exit 125`
    const { exitCode, stderr } = await run({ 'version *': podman })
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringMatching(/Podman is no Docker Engine; install .* then run: acme-wan status$/),
    ])
  })

  it('sudo is given the command’s path, as it looks in neither /usr/local/bin nor ~/.local/bin everywhere', async () => {
    const { stderr } = await run({ 'version *': 'echo "permission denied" >&2; exit 1' })
    expect(stderr).toContain('run: sudo ../acme-wan status (or ')
  })

  it('a folder that the Engine does not see is named, with where to go', async () => {
    const unseen = 'echo "invalid mount config: bind source path does not exist: X" >&2; exit 125'
    const { exitCode, stderr } = await run({ 'run *': unseen, 'create *': unseen })
    const place = path.join(scratch.path, 'site')
    expect([exitCode, stderr.split('\n').at(-1)]).toEqual([
      3,
      expect.stringMatching(
        `does not see ${place} of this host .* go into a home folder, .*run: acme-wan status$`,
      ),
    ])
  })

  it('an Engine in a virtual machine is given its own socket, and nothing of this host but the folders', async () => {
    const machines = [
      { 'info *': 'echo Docker Desktop', 'context *': 'echo unix:///home/bob/.docker/desktop/docker.sock' },
      {
        'info *': 'echo Ubuntu 24.04 LTS',
        'context *': 'echo unix:///Users/bob/.colima/default/docker.sock',
      },
      { 'info *': 'echo Alpine Linux', 'context *': 'echo unix:///home/bob/.rd/docker.sock' },
    ]
    for (const machine of machines) {
      const { call } = await run(machine)
      expect(call).toContain('"src=/var/run/docker.sock",dst=/var/run/docker.sock')
      expect(call).toContain('--user 0:0')
      expect(call).not.toContain('machine-id')
    }
  })

  it('by which addresses clients reach the host is told to an Engine that has a network of its own', async () => {
    const addresses = { SLIPWAY_HOST_ADDRESSES: '192.0.2.7' }
    const rootless = {
      'info *': 'echo "Debian [name=rootless]"',
      'context *': 'echo unix:///run/user/1000/docker.sock',
    }
    expect((await run({}, addresses)).call).toContain('SLIPWAY_HOST_ADDRESSES=192.0.2.7 ')
    const ip = path.join(scratch.path, 'site', 'fake-bin', 'ip')
    await mkdir(path.dirname(ip), { recursive: true })
    await writeFile(
      ip,
      "#!/bin/sh\nprintf '%s\\n' '2: eth0    inet 198.51.100.4/24 brd 198.51.100.255 scope global' '3: docker0    inet 172.17.0.1/16 scope global'\n",
      { mode: 0o755 },
    )
    expect((await run(rootless)).call).toContain('SLIPWAY_HOST_ADDRESSES=198.51.100.4 ')
    expect((await run({})).call).not.toContain('SLIPWAY_HOST_ADDRESSES')
  })
})

it('a folder counts as writable where a file can be made in it', async () => {
  const { exitCode, stderr } = await typeOn(scratch.path, 'sh install.sh', has('sha256:01'), {
    SLIPWAY_BIN: '/proc',
  })
  expect([exitCode, stderr]).toEqual([
    3,
    expect.stringContaining('SLIPWAY_BIN is /proc, which is no folder that can be written'),
  ])
})

describe('where an Engine counts IDs in a way of its own', () => {
  const other = {
    'info --format {{.DriverStatus}}': 'echo io.containerd.snapshotter.v1',
    'image inspect *{{.Id}}{{range*': 'cat tagged',
    'image inspect *': 'exit 1',
    'load *': "cat >loaded; echo 'sha256:99 sha256:0a sha256:0b' >tagged",
  }

  it('the image is told by its layers', async () => {
    await writeFile(path.join(scratch.path, 'tagged'), 'sha256:99 sha256:0a sha256:0b\n')
    const { calls } = await typeOn(scratch.path, 'sh install.sh --profile site', other)
    expect(calls.filter((call) => call.startsWith('load'))).toEqual([])
    expect(calls.at(-1)).toMatch(/ sha256:99 install --bundle /)
  })

  it('another build’s of the same version does not stand in for the bundle’s', async () => {
    await writeFile(path.join(scratch.path, 'tagged'), 'sha256:88 sha256:0a sha256:0c\n')
    const { calls, stderr } = await typeOn(scratch.path, 'sh install.sh --profile site', other)
    expect(await readFile(path.join(scratch.path, 'loaded'))).toEqual(beginning)
    // However little: an update's is a few kilobytes.
    expect(stderr).toContain('Loading the installer (1 MB) …')
    expect(calls.at(-1)).toMatch(/ sha256:99 install --bundle /)
  })
})

describe('the command', () => {
  const called = async (words: string, answers: Record<string, string> = {}): Promise<readonly string[]> =>
    (
      await typeOn(path.join(scratch.path, 'site'), `sh ../acme-wan ${words}`, {
        ...has('sha256:01'),
        ...answers,
      })
    ).calls
  const away = { 'context *': 'echo tcp://192.0.2.9:2375' }

  it('brings all of a bundle in parts to an Engine elsewhere, whichever of them is named', async () => {
    const site = path.join(scratch.path, 'site')
    const files = ['b.tar.parts', 'b.tar.001', 'b.tar.002']
    for (const file of files) await writeFile(path.join(site, file), '')
    for (const named of ['b.tar', ...files]) {
      const copied = (await called(`verify ${named}`, away)).filter((call) => call.startsWith('cp -qL'))
      expect(new Set(copied)).toEqual(new Set(files.map((file) => `cp -qL ${file} made:${site}/${file}`)))
    }
  })

  it('sees the folder of a path that leads into the current one, also where that has no place in the container', async () => {
    await writeFile(path.join(scratch.path, 'site', 'licence.json'), '')
    const inside = await typeOn(scratch.path, 'sh acme-wan install --licence site/licence.json', away)
    const place = `${scratch.path}/site`
    expect(inside.calls.find((call) => call.startsWith('create'))).toContain(`"dst=${place}"`)
    const root = `cd / && sh ${scratch.path}/acme-wan verify ${place.slice(1)}/licence.json`
    expect((await typeOn(scratch.path, root)).calls.at(-1)).toContain(`"src=${place}","dst=${place}"`)
  })
})

it('the command sees what a link leads to', async () => {
  const real = path.join(scratch.path, 'media', 'b.tar')
  await mkdir(path.dirname(real))
  await writeFile(real, '')
  await symlink(real, path.join(scratch.path, 'site', 'b.tar'))
  const { calls } = await typeOn(
    path.join(scratch.path, 'site'),
    'sh ../acme-wan verify b.tar',
    has('sha256:01'),
  )
  expect(calls.at(-1)).toContain(`"src=${path.dirname(real)}","dst=${path.dirname(real)}"`)
})

it('the command goes where the caller says, and nowhere else', async () => {
  const place = path.join(scratch.path, 'nowhere')
  const { exitCode, stderr } = await typeOn(scratch.path, 'sh install.sh', has('sha256:01'), {
    SLIPWAY_BIN: place,
  })
  expect([exitCode, stderr]).toEqual([
    3,
    `install.sh: SLIPWAY_BIN is ${place}, which is no folder that can be written; make it one, or choose another: SLIPWAY_BIN=DIR sh install.sh`,
  ])
  await mkdir(place)
  await typeOn(scratch.path, 'sh install.sh', has('sha256:01'), { SLIPWAY_BIN: place })
  expect(await readdir(place)).toEqual(['acme-wan'])
})

it('an uninstall ends with the line that removes the command and the installers of all releases', async () => {
  const { stderr } = await typeOn(scratch.path, 'sh acme-wan uninstall --yes', {
    ...has('sha256:01'),
    'image ls *io.slipway.installer=acme-wan*': "printf 'sha256:02\\nsha256:01\\nsha256:01\\n'",
  })
  expect(stderr).toBe(
    "To remove this command and its image too: rm 'acme-wan' && docker image rm sha256:01 sha256:02",
  )
})
