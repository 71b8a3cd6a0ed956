import { once } from 'node:events'
import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import { builtImage } from '../support/built-image.ts'
import { type InnerEngine, startEngine26 } from '../support/inner-engine.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository, slipway } from '../support/slipway.ts'

/**
 * A host that has a Docker Engine, Docker's command and the tools that any Debian has, and no Node: the container in
 * which Engine 26.1 runs, with containerd's image store. What a reseller types is typed there.
 */
const command = 'in-wan'
const bundle = `${command}-1.0.0-linux-amd64.tar`
const shells = ['dash', 'busybox sh', 'bash --posix'] as const

let scratch: Scratch
let inner: InnerEngine
let host: string
let delivered: string

beforeAll(async () => {
  scratch = await makeScratch('install-sh')
  const [folder] = await Promise.all([
    makeBundle(),
    startEngine26({ daemon: { features: { 'containerd-snapshotter': true } } }).then((engine) => {
      inner = engine
    }),
  ])
  delivered = folder
  host = await containerOf(inner)
  await execa('docker', ['cp', folder, `${host}:/deliver`])
  for (const tool of ['docker', 'busybox']) {
    const { stdout } = await execa('sh', ['-c', `command -v ${tool}`])
    await execa('docker', ['cp', '-L', stdout, `${host}:/usr/local/bin/${tool}`])
  }
})

afterAll(async () => {
  await inner?.remove()
  await scratch?.remove()
})

/** A partner's product that differs from the reference in its brand, packed and signed. */
async function makeBundle(): Promise<string> {
  const { productDirectory } = builtImage()
  const product = path.join(scratch.path, 'product')
  await mkdir(product)
  await writeFile(
    path.join(product, 'appliance.yaml'),
    [
      `extends: ${productDirectory === repository ? 'slipway-reference' : path.relative(product, productDirectory)}`,
      `name: ${command}`,
      'version: 1.0.0',
      `brand: { vendor: Bob, product: "Bob's WAN", command: ${command}, support: help@bob.example }`,
      'keys: [signing.pub]',
      '',
    ].join('\n'),
  )
  await copyFile(path.join(productDirectory, 'appliance.lock'), path.join(product, 'appliance.lock'))
  await inProduct('key', '--out', 'signing')
  await inProduct('lock')
  await inProduct('bundle', '--platform', 'linux/amd64', '--key', 'signing.key', '--out', '../bundle')
  return path.join(scratch.path, 'bundle', bundle.replace(/\.tar$/, ''))
}

/** The same product a release later: only what changed. */
async function makeUpdate(): Promise<string> {
  const file = path.join(scratch.path, 'product', 'appliance.yaml')
  await writeFile(file, (await readFile(file, 'utf8')).replace('1.0.0', '1.0.1'))
  const since = path.join(delivered, bundle)
  await inProduct('bundle', '--since', since, '--key', 'signing.key', '--out', '../bundle')
  return path.join(scratch.path, 'bundle', `${command}-1.0.1-linux-amd64-since-1.0.0`)
}

async function inProduct(...parameters: string[]): Promise<void> {
  const { exitCode, stderr } = await slipway(parameters, {
    cwd: path.join(scratch.path, 'product'),
    env: { SLIPWAY_CACHE: builtImage().cacheDirectory },
  })
  if (exitCode !== 0) throw new Error(`slipway ${parameters.join(' ')}: ${stderr}`)
}

/** The container of the host's Engine that an inner Engine runs in. */
async function containerOf({ env }: InnerEngine): Promise<string> {
  const port = Number(env.DOCKER_HOST.split(':').at(-1))
  const containers = await (await connectEngine()).containers.list({ 'io.slipway.test': 'inner-engine' })
  return containers.find((one) => one.ports.some((published) => published.port === port))!.id
}

/** Types a line on the host without Node; never throws. */
function on(line: string, options: { user?: string; shell?: string; cwd?: string } = {}) {
  const as = options.user
    ? ['setpriv', `--reuid=${options.user}`, `--regid=${options.user}`, '--groups=998']
    : []
  return execa(
    'docker',
    [
      'exec',
      '-w',
      options.cwd ?? '/deliver',
      host,
      ...as,
      ...['env', '-i', 'PATH=/usr/local/bin:/usr/bin:/bin', `HOME=/home/${options.user ?? 'root'}`],
      ...(options.shell ?? 'sh').split(' '),
      '-c',
      line,
    ],
    { reject: false, stdin: 'ignore' },
  )
}

/** What the Engine of that host holds: images, containers, volumes and networks that are not its own. */
async function everything(): Promise<Record<string, string[]>> {
  const { images, containers, volumes, networks } = inner.engine
  const own = ['bridge', 'host', 'none']
  return {
    images: (await images.list()).flatMap(({ id, tags }) => `${id} ${[...tags].sort().join(' ')}`).sort(),
    containers: (await containers.list()).map(({ id, name }) => `${id} ${name}`).sort(),
    volumes: (await volumes.list()).map(({ Name }) => Name).sort(),
    networks: (await networks.list())
      .map(({ Name }) => Name)
      .filter((one) => !own.includes(one))
      .sort(),
  }
}

const nothing = { images: [], containers: [], volumes: [], networks: [] }

describe('install.sh', () => {
  it('meets an Engine that keeps images in containerd’s store, and counts their IDs in its own way', async () => {
    expect((await inner.engine.info()).containerdStore).toBe(true)
  })

  it('and the command that it leaves are plain POSIX sh', async () => {
    const text = await readFile(path.join(delivered, 'install.sh'), 'utf8')
    const wrapper = text.slice(text.indexOf("<<'COMMAND'\n") + 12, text.lastIndexOf('\nCOMMAND\n'))
    await writeFile(path.join(scratch.path, 'command.sh'), `${wrapper}\n`)
    for (const file of [path.join(delivered, 'install.sh'), path.join(scratch.path, 'command.sh')]) {
      const { stdout } = await execa('shellcheck', ['-s', 'sh', file], { reject: false })
      expect(stdout).toBe('')
      for (const shell of shells) {
        const [program = '', ...parameters] = shell.split(' ')
        expect(await execa(program, [...parameters, '-n', file])).toMatchObject({ exitCode: 0 })
      }
    }
  })

  it('says in one sentence what is missing and what to type', async () => {
    const said = async (line: string, options = {}): Promise<unknown> => {
      const { exitCode, stderr } = await on(line, options)
      return [exitCode, stderr]
    }
    expect(await said('PATH=/usr/bin:/bin sh install.sh')).toEqual([
      3,
      'install.sh: There is no docker command on this host; install the Docker Engine (on Debian and Ubuntu: sudo apt-get install docker.io), then run: sh install.sh',
    ])
    expect(await said('DOCKER_HOST=unix:///nowhere.sock sh install.sh')).toEqual([
      3,
      'install.sh: No Docker Engine answers at unix:///nowhere.sock; start it (sudo systemctl start docker), then run: sh install.sh',
    ])
    expect(await said('DOCKER_CONTEXT=gone sh install.sh')).toEqual([
      3,
      "install.sh: The context that Docker's command is to use is not there; correct it (docker context ls), then run: sh install.sh",
    ])
    expect(await said('setpriv --reuid=1234 --clear-groups sh install.sh --profile branch')).toEqual([
      3,
      'install.sh: You may not use the Docker Engine at unix:///var/run/docker.sock; run: sudo sh install.sh --profile branch (or become a member of the group docker: sudo usermod -aG docker USER, log in anew, then run: sh install.sh --profile branch)',
    ])
    const windows = 'docker() { echo "windows amd64"; }; set -- ; . ./install.sh'
    expect(await said(windows)).toEqual([
      3,
      'install.sh: The Docker Engine runs windows containers; switch Docker Desktop to Linux containers, then run: sh sh',
    ])
    const arm = 'docker() { echo "linux arm64"; }; . ./install.sh'
    expect(await said(arm)).toEqual([
      3,
      "install.sh: This bundle of Bob's WAN 1.0.0 is for amd64, and the Docker Engine runs on arm64; take the bundle for arm64",
    ])
    expect(await said('mkdir /alone && cp install.sh /alone && sh /alone/install.sh')).toEqual([
      2,
      `install.sh: ${bundle} is not beside /alone/install.sh; put both into one folder, then run: sh /alone/install.sh`,
    ])
    expect(await everything()).toEqual(nothing)
  })

  it('refuses a bundle whose first bytes are not what it knows, or that came damaged, before anything is loaded', async () => {
    const damaged = path.join(scratch.path, bundle)
    await copyFile(path.join(delivered, bundle), damaged)
    const file = await open(damaged, 'r+')
    await file.write('x', 1_000_000)
    await file.close()
    await on('mkdir /damaged && cp install.sh /damaged')
    await execa('docker', ['cp', damaged, `${host}:/damaged/`])
    const { exitCode, stderr } = await on('sh install.sh --profile branch', { cwd: '/damaged' })
    expect([exitCode, stderr.split('\n')]).toEqual([
      2,
      [
        `Checking ${bundle} …`,
        `install.sh: ${bundle} is damaged, or is not the bundle that this install.sh belongs to; nothing was loaded. Copy both once more, then run: sh install.sh --profile branch`,
      ],
    ])
    expect(await everything()).toEqual(nothing)
    const behind = `printf damaged | dd of=${bundle} bs=1 seek=80000000 conv=notrunc status=none`
    const later = await on(`cp /deliver/${bundle} /deliver/SHA256SUMS . && ${behind} && sh install.sh`, {
      cwd: '/damaged',
    })
    expect([later.exitCode, later.stderr.split('\n').at(-1)]).toEqual([
      2,
      `install.sh: ${bundle} is damaged, or has the name of another; nothing was loaded. Copy it once more, then run: sh install.sh`,
    ])
    expect(await everything()).toEqual(nothing)
  })

  it('takes away again what it loaded and wrote, where the program refuses the rest of the bundle', async () => {
    const own = '/usr/local/bin/in-wan'
    const refused = async (before: string): Promise<unknown> => {
      const { exitCode, stderr } = await on(`${before}; sh install.sh`, { cwd: '/damaged' })
      const left = await on(`ls -A /usr/local/bin; cat ${own}; rm -f ${own}`)
      return { exitCode, said: stderr.split('\n').slice(-2), left: left.stdout, on: await everything() }
    }
    const said = [
      expect.stringMatching(/^in-wan: .+ is refused: .+ get the file from its vendor again\.$/),
      'The installer and the command of this run were taken away again.',
    ]
    expect(await refused('rm SHA256SUMS')).toEqual({
      exitCode: 2,
      said,
      left: 'busybox\ndocker',
      on: nothing,
    })
    const earlier = '#!/bin/sh\n# A command that the installer wrote.'
    expect(await refused(`echo '${earlier}' >${own}`)).toEqual({
      exitCode: 2,
      said,
      left: `busybox\ndocker\nin-wan\n${earlier}`,
      on: nothing,
    })
    await on('rm -r /damaged')
  })

  it('with --dry-run shows the plan, and leaves nothing', async () => {
    const { exitCode, stdout } = await on('sh install.sh --profile branch --dry-run')
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\+ container in-wan-dns-1 +not on this host$/m),
    })
    expect(await everything()).toEqual(nothing)
    expect((await on('ls -A /usr/local/bin /tmp')).stdout).toBe('/tmp:\n\n/usr/local/bin:\nbusybox\ndocker')
  })

  it('killed at any stage, it finishes when it is run again', async () => {
    for (const stage of ['Checking', 'Loading', 'The command', 'check .*tar']) {
      const killed = on(
        `setsid sh install.sh --profile branch >/run.log 2>&1 & pid=$!
         for i in $(seq 600); do grep -q '${stage}' /run.log && break; kill -0 $pid 2>/dev/null || break; sleep 0.05; done
         kill -9 -$pid; wait; cat /run.log; rm /run.log`,
      )
      expect((await killed).stdout).toMatch(new RegExp(stage))
    }
    const { exitCode, stdout, stderr } = await on('sh install.sh --profile branch')
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 })
    expect(stdout).toMatch(/^ {2}optimiser {2}3128\/tcp {2}\(healthy\)$/m)
    expect(stdout).toMatch(/^Clients' proxy: [\d.]+:3128$/m)
    expect(stdout).toMatch(/^Next: in-wan status --name in-wan · in-wan uninstall --name in-wan$/m)
    expect((await on('ls -A /usr/local/bin')).stdout).toBe('busybox\ndocker\nin-wan')
  })

  it.each(shells.slice(1))('run again, with %s, changes nothing', async (shell) => {
    const before = [await everything(), (await on('stat -c "%i %Y" /usr/local/bin/in-wan')).stdout]
    const { exitCode, stdout, stderr } = await on(`${shell} install.sh --profile branch`)
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 })
    expect(stdout.split('\n')[0]).toBe('in-wan is as it should be; nothing was changed.')
    expect([await everything(), (await on('stat -c "%i %Y" /usr/local/bin/in-wan')).stdout]).toEqual(before)
  })

  it('needs no root where the Engine needs none', async () => {
    await on('mkdir -p /home/1234 && chown 1234:1234 /home/1234')
    const user = { user: '1234' }
    const { exitCode, stdout, stderr } = await on('sh install.sh', user)
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 })
    expect(stderr).toContain(
      '/home/1234/.local/bin is not in PATH; call it as /home/1234/.local/bin/in-wan, or add: PATH="/home/1234/.local/bin:$PATH"',
    )
    const written = await on('~/.local/bin/in-wan pac office.pac && stat -c "%u:%g" office.pac', {
      ...user,
      cwd: '/home/1234',
    })
    expect(written.stdout.split('\n')[1]).toBe('1234:1234')
  })
})

describe('the command that install.sh leaves', () => {
  it('passes on what is asked, what is said, and the exit code', async () => {
    expect((await on('command -v node')).exitCode).not.toBe(0)
    const status = await on('in-wan status --json', { cwd: '/' })
    expect([status.exitCode, JSON.parse(status.stdout).services.length]).toEqual([0, 2])
    const wrong = await on('in-wan statsu')
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      2,
      "in-wan: unknown command 'statsu'; did you mean status? The commands and options: in-wan --help",
    ])
  })

  it('takes nothing that comes in from who calls it', async () => {
    const loop = 'printf "one\\ntwo\\n" | while read -r word; do in-wan status >&2; echo "$word"; done'
    expect(await on(loop)).toMatchObject({ exitCode: 0, stdout: 'one\ntwo' })
    // A container would leave most of this unread, which some of Docker’s own commands take for a failure.
    expect(await on('yes | in-wan status')).toMatchObject({ exitCode: 0 })
  })

  it('reads and writes the files of this host, wherever it is called', async () => {
    await on('mkdir -p "/srv/a, b"')
    const backup = await on('in-wan backup "/srv/a, b/site.backup"', { cwd: '/etc' })
    expect(backup).toMatchObject({ exitCode: 0 })
    const dry = await on('in-wan restore "../a, b/site.backup" --bundle /deliver/*.tar --dry-run', {
      cwd: '/srv/a, b',
    })
    expect(dry).toMatchObject({ exitCode: 0 })
    const evidence = await on('in-wan support-bundle evidence.tar.gz && tar tzf evidence.tar.gz | head -1', {
      cwd: '/srv',
    })
    expect(evidence).toMatchObject({ exitCode: 0 })
  })

  it('says of a word that is no option what is installed', async () => {
    const { exitCode, stderr } = await on('sh install.sh campus')
    expect([exitCode, stderr]).toEqual([
      2,
      `in-wan: The bundle /deliver/${bundle} is what is installed, and campus is no option; leave it out, or see which there are: in-wan install --help`,
    ])
  })

  it('changes a setting without the bundle that the appliance came in', async () => {
    const set = await on('in-wan install --set dns.cache=6000', { cwd: '/' })
    expect(set).toMatchObject({ exitCode: 0 })
    expect(set.stdout).toMatch(/^~ setting dns\.cache +6000 from now on, over the profile$/m)
    const plan = JSON.parse((await on('in-wan plan --json')).stdout)
    expect(plan).toMatchObject({ settings: { 'dns.cache': '6000' }, steps: [] })
    const { findings } = JSON.parse((await on('in-wan preflight --json')).stdout)
    expect(findings.map(({ check }: { check: string }) => check)).toContain('disk')
    const elsewhere = await on('in-wan plan --name other')
    expect([elsewhere.exitCode, elsewhere.stderr]).toEqual([
      2,
      'in-wan: in-wan 1.0.0 does not run on this host, so that its image must come from elsewhere; name the bundle that it is in with --bundle FILE.',
    ])
  })

  it('has for a registry the login that Docker has on this host', async () => {
    const login = `Basic ${Buffer.from('partner:secret').toString('base64')}`
    const registry = http.createServer(({ headers }, response) => {
      const status = headers.authorization === login ? 404 : 401
      response.writeHead(status, { 'www-authenticate': 'Basic realm="test"' }).end()
    })
    await once(registry.listen(0, '0.0.0.0'), 'listening')
    const format = '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}'
    const { stdout: gateway } = await execa('docker', ['inspect', host, '--format', format])
    const address = `${gateway}:${(registry.address() as AddressInfo).port}`
    const word = `${address}/acme/wan@sha256:${'0'.repeat(64)}`
    const plan = async (): Promise<unknown> => {
      const line = `~/.local/bin/in-wan plan ${word} --insecure`
      const { exitCode, stderr } = await on(line, { user: '1234', cwd: '/home/1234' })
      return [exitCode, stderr]
    }
    try {
      expect(await plan()).toEqual([
        1,
        `in-wan: ${word} cannot be read, because of ${address}/acme/wan: it answers 401: it asks for a password; \`docker login ${address}\` logs in.`,
      ])
      const known = { auths: { [address]: { auth: login.slice('Basic '.length) } } }
      const write = `umask 077 && mkdir ~/.docker && echo '${JSON.stringify(known)}' > ~/.docker/config.json`
      await on(write, { user: '1234' })
      expect(await plan()).toEqual([
        1,
        `in-wan: ${address} does not have ${word}; check the name, or push it first.`,
      ])
    } finally {
      registry.close()
    }
  })

  it('puts a service back to a clean state', async () => {
    expect(await on('in-wan reset clean --yes')).toMatchObject({ exitCode: 0 })
    expect(await on('in-wan status')).toMatchObject({ exitCode: 0 })
  })

  it('works where the Engine is elsewhere: files travel with it', async () => {
    const bin = path.join(scratch.path, 'bin')
    const far = path.join(scratch.path, 'far')
    await mkdir(bin)
    await mkdir(far)
    const env = { ...inner.env, SLIPWAY_BIN: bin }
    const run = (file: string, ...parameters: string[]) =>
      execa(file, parameters, { cwd: far, env, stdin: 'ignore', reject: false })
    const again = await run('sh', path.join(delivered, 'install.sh'), '--profile', 'branch')
    expect(again).toMatchObject({ exitCode: 0 })
    expect(again.stdout.split('\n')[0]).toBe('in-wan is as it should be; nothing was changed.')
    expect(await run(path.join(bin, command), 'pac', 'far.pac')).toMatchObject({ exitCode: 0 })
    expect(await readFile(path.join(far, 'far.pac'), 'utf8')).toContain('; DIRECT')
    expect((await run(path.join(bin, command), 'nonsense')).exitCode).toBe(2)
  })

  it('is updated by a bundle of what changed, whose installer such an Engine does not load by itself', async () => {
    await execa('docker', ['cp', await makeUpdate(), `${host}:/update`])
    const { exitCode, stdout, stderr } = await on('sh install.sh', { cwd: '/update' })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching(/^✔ load in-wan-installer:1\.0\.1: .*, 4 of 5 layers were there/m),
    })
    expect(stdout).toMatch(/^in-wan 1\.0\.1 is up on /m)
    expect((await on('in-wan status')).stdout).toMatch(/^release +in-wan 1\.0\.1, profile branch$/m)
    await on('docker image rm in-wan-installer:1.0.0')
  })

  it('takes all away, and says how to remove itself', async () => {
    const { exitCode, stderr } = await on('in-wan uninstall --yes')
    expect(exitCode).toBe(0)
    const [, line] = /^To remove this command and its image too: (.*)$/m.exec(stderr) ?? []
    expect(await everything()).toMatchObject({ containers: [], volumes: [], networks: [] })
    expect(line).toMatch(/^rm '\/usr\/local\/bin\/in-wan' && docker image rm sha256:[0-9a-f]{64}$/)
    expect(await on(line ?? 'false')).toMatchObject({ exitCode: 0 })
    expect(JSON.stringify(await everything())).not.toContain('installer')
  })

  it('says so where its image is gone', async () => {
    const { exitCode, stderr } = await on('~/.local/bin/in-wan status', { user: '1234' })
    expect([exitCode, stderr.split('\n').at(-1)]).toEqual([
      3,
      'in-wan: The image of this command is no longer in the Docker Engine; bring it back with: sh install.sh',
    ])
  })
})
