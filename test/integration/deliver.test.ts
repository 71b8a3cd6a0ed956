import { appendFile, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { repository, slipway } from '../support/slipway.ts'
import { readTypedDoc, type TypedStep } from '../support/typed-doc.ts'

/**
 * From a partner's empty folder to a customer's host and away again, typed as docs/ say: the partner builds and packs,
 * the host has Docker's command, a shell and no Node.
 */
let scratch: Scratch
let product: string
let engine: Engine
let sections: ReadonlyMap<string, readonly TypedStep[]>
let pages: Record<'resellers' | 'support', string>

const full = 'acme-wan-1.0.0-linux-amd64'
const update = 'acme-wan-1.0.1-linux-amd64-since-1.0.0'
const ports = ['--set', 'dns.port=26053', '--set', 'optimiser.port=26128']
const tools = [
  ...[
    'awk',
    'cat',
    'chmod',
    'cmp',
    'cp',
    'cut',
    'date',
    'dirname',
    'docker',
    'env',
    'grep',
    'head',
    'id',
    'ls',
  ],
  ...[
    'mkdir',
    'mktemp',
    'mv',
    'pwd',
    'rm',
    'sed',
    'sh',
    'sha256sum',
    'sleep',
    'sort',
    'stat',
    'tail',
    'tar',
    'tr',
  ],
  ...['uname', 'wc'],
]

beforeAll(async () => {
  scratch = await makeScratch('deliver')
  product = path.join(scratch.path, 'acme-wan')
  engine = await connectEngine()
  sections = await readTypedDoc('partners.md')
  const page = (name: string) => readFile(path.join(repository, 'docs', name), 'utf8')
  pages = { resellers: await page('resellers.md'), support: await page('support.md') }
  for (const folder of ['tools', 'bin']) await mkdir(path.join(scratch.path, folder))
  for (const tool of tools) {
    const { stdout } = await execa('sh', ['-c', `command -v ${tool}`], { reject: false })
    if (stdout.startsWith('/')) await symlink(stdout, path.join(scratch.path, 'tools', tool))
  }
})

afterAll(async () => {
  for (const { name, id } of await engine.containers.list())
    if (/^acme-wan-(dns|optimiser|state|mutex)/.test(name)) await engine.containers.remove(id)
  for (const { tags } of await engine.images.list())
    for (const tag of tags) if (/^acme-wan(-installer)?:/.test(tag)) await engine.images.remove(tag)
  await scratch.remove()
})

/** What the partner types: the commands of a section of docs/partners.md, from one to another. */
async function partner(heading: string, from = 0, to?: number): Promise<string[]> {
  const commands = (sections.get(heading) ?? []).flatMap((step) =>
    step.type === 'command' ? [step.words] : [],
  )
  const printed: string[] = []
  for (const words of commands.slice(from, to).filter(([first]) => first === 'slipway')) {
    const cwd = words[1] === 'init' ? scratch.path : product
    const env = { SLIPWAY_CACHE: builtImage().cacheDirectory }
    const { exitCode, stdout, stderr } = await slipway(words.slice(1), { cwd, env })
    expect([words.join(' '), exitCode, exitCode === 0 ? '' : stderr]).toEqual([words.join(' '), 0, ''])
    printed.push(stdout)
  }
  return printed
}

/** What is typed on the host, as a page of docs/ says it; `more` is this machine's own. */
async function type(page: keyof typeof pages, line: string, folder: string, more: readonly string[] = []) {
  expect(pages[page]).toContain(line)
  const cwd = path.join(scratch.path, 'deliver', folder)
  const { path: root } = scratch
  const PATH = [path.join(root, 'tools'), path.join(root, 'bin')].join(path.delimiter)
  const { DOCKER_HOST } = process.env
  const { exitCode, stdout, stderr } = await execa('sh', ['-c', [line, ...more].join(' ')], {
    cwd,
    env: { PATH, HOME: root, SLIPWAY_BIN: path.join(root, 'bin'), ...(DOCKER_HOST && { DOCKER_HOST }) },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  })
  return { exitCode, stdout, stderr, lines: stdout.split('\n') }
}

const own = async (): Promise<string[]> => {
  const [containers, volumes, networks] = await Promise.all([
    engine.containers.list(),
    engine.volumes.list(),
    engine.networks.list(),
  ])
  return [
    ...containers.map(({ name, state }) => `${name} ${state}`),
    ...volumes.map(({ Name }) => Name),
    ...networks.map(({ Name }) => Name),
  ]
    .filter((name) => name.startsWith('acme-wan'))
    .sort()
}

const installed = [
  'acme-wan-dns-1 running',
  'acme-wan-optimiser-1 running',
  'acme-wan-state created',
  'acme-wan_cache',
  'acme-wan_default',
  'acme-wan_state',
]

describe('a partner’s product', () => {
  it('is begun, locked and packed into one signed file', async () => {
    await partner('Begin')
    await partner('Deliver', 0, 1)
    const line = sections.get('Deliver')!.find((step) => step.type === 'file')!
    await appendFile(path.join(product, 'appliance.yaml'), `\n${line.text}`)
    await partner('Build', 0, 1)
    const [packed, checked] = await partner('Deliver', 1, 3)
    expect(packed).toContain(`${full}.tar`)
    expect(checked).toMatch(/sha256:[0-9a-f]{64}/)
  })

  it('is installed by sh install.sh on a host without Node, and run twice changes nothing', async () => {
    const noNode = await execa('sh', ['-c', 'command -v node'], {
      env: { PATH: path.join(scratch.path, 'tools') },
      extendEnv: false,
      reject: false,
    })
    expect(noNode.exitCode).not.toBe(0)
    const line = 'sh install.sh --profile branch'
    const first = await type('resellers', line, full, ports)
    expect([first.exitCode, first.exitCode === 0 ? '' : first.stderr]).toEqual([0, ''])
    expect(first.lines[0]).toBe('Acme WAN 1.0.0, by Acme Networks')
    expect(await own()).toEqual(installed)
    const second = await type('resellers', line, full, ports)
    expect([
      second.exitCode,
      second.stdout.includes('acme-wan is as it should be; nothing was changed.'),
    ]).toEqual([0, true])
  })

  it('is looked at and put back by the command that it left', async () => {
    const status = await type('support', 'acme-wan status', full)
    expect([status.exitCode, status.lines[0]]).toEqual([0, 'acme-wan'])
    const before = (await engine.containers.inspect('acme-wan-optimiser-1'))?.Id
    const reset = await type('support', 'acme-wan reset clean --service optimiser', full, ['--yes'])
    expect([reset.exitCode, reset.lines.at(-1)]).toEqual([
      0,
      'optimiser of acme-wan is reset (clean) and healthy.',
    ])
    expect((await engine.containers.inspect('acme-wan-optimiser-1'))?.Id).not.toBe(before)
    expect(await own()).toEqual(installed)
    const backup = await type('support', 'acme-wan backup site.backup', full)
    expect([
      backup.exitCode,
      (await stat(path.join(scratch.path, 'deliver', full, 'site.backup'))).isFile(),
    ]).toEqual([0, true])
  })

  it('is updated by a bundle of what changed, which is under a megabyte', async () => {
    const file = path.join(product, 'appliance.yaml')
    const text = await readFile(file, 'utf8')
    await writeFile(
      file,
      text.replace('version: 1.0.0', 'version: 1.0.1').replace('    Acme WAN\n', '    Acme WAN, newer\n'),
    )
    await partner('Deliver', 3)
    const { size } = await stat(path.join(scratch.path, 'deliver', update, `${update}.tar`))
    expect(size).toBeLessThan(1_000_000)
    const { exitCode, stderr, lines } = await type('resellers', 'sh install.sh --profile branch', update)
    expect([exitCode, exitCode === 0 ? '' : stderr]).toEqual([0, ''])
    expect(lines[0]).toBe('Acme WAN 1.0.1, by Acme Networks')
    const status = await type('support', 'acme-wan status', update)
    expect(status.stdout).toContain('release   acme-wan 1.0.1, profile branch')
    expect(status.stdout).toContain('settings  dns.port=26053, optimiser.port=26128')
    expect(await own()).toEqual(installed)
  })

  it('is uninstalled, and says how its command goes too', async () => {
    const gone = await type('resellers', 'acme-wan uninstall', update, ['--yes'])
    expect([gone.exitCode, await own()]).toEqual([0, []])
    const goodbye = /rm .*acme-wan.* && docker image rm \S+/.exec(`${gone.stdout}\n${gone.stderr}`)
    expect(goodbye).not.toBeNull()
  })
})
