import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { ownLabels } from '../../src/host/labels.ts'
import { withMutex } from '../../src/host/mutex.ts'
import type { ResetReport } from '../../src/host/reset-report.ts'
import { readState } from '../../src/host/state-volume.ts'
import { silent } from '../../src/lib/progress.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { keeperService, type TinyProduct, writeTinyProduct } from '../support/tiny-services.ts'

const name = `slipway-verbs-${process.pid}`
const container = `${name}-keeper-1`
const volumes = ['data', 'cache', 'settings', 'licence']
let engine: Engine
let scratch: Scratch
let product: TinyProduct

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await makeScratch('verbs')
  await mkdir(path.join(scratch.path, 'here'))
  product = await writeTinyProduct(scratch.path, {
    name,
    services: keeperService(
      `mem_limit: \${KEEPER_MEMORY:-32m}`,
      `volumes: [${volumes.map((one) => `"${one}:/${one}"`).join(', ')}]`,
      'healthcheck: { test: ["CMD", "/bin/busybox", "true"], interval: 500ms, timeout: 20s, retries: 2 }',
    ),
    rest: [
      'volumes:',
      '  data: {}',
      ...['cache', 'settings', 'licence'].map((one) => `  ${one}: { x-slipway: { holds: ${one} } }`),
      '',
    ].join('\n'),
    files: { 'etc/tool': 'as made\n' },
  })
  const installed = await run('install', product.layout)
  expect(installed).toMatchObject({ exitCode: 0 })
  const backedUp = await run('backup', 'kept.tar.gz')
  expect(backedUp).toMatchObject({ exitCode: 0 })
  await shell(['echo damaged >/etc/tool', ...volumes.map((one) => `echo ${one} >/${one}/file`)])
})

afterAll(async () => {
  await run('uninstall', '--yes')
  if (await engine.images.inspect(`${name}:1.0.0`)) await engine.images.remove(`${name}:1.0.0`)
  await scratch.remove()
})

/** Types a verb of this appliance in a folder of its own. */
function run(verb: string, ...more: string[]) {
  return slipway(['-C', product.directory, verb, ...more, '--name', name], {
    cwd: path.join(scratch.path, 'here'),
  })
}

async function shell(lines: readonly string[]): Promise<string> {
  const { stdout } = await engine.containers.exec(container, ['/bin/busybox', 'sh', '-c', lines.join('\n')])
  return stdout
}

/** All of the appliance that a command could change, on the Engine and in the folder where it is typed. */
async function picture() {
  const own = await engine.containers.list({ [ownLabels.appliance]: name })
  const documents = await Promise.all(own.map(({ id }) => engine.containers.inspect(id)))
  const mine = (labels: Readonly<Record<string, string>> | null) => labels?.[ownLabels.appliance] === name
  return {
    // Health checks come and go by themselves; lists come in no order of their own.
    containers: documents.map((one) => ({
      ...one!,
      ExecIDs: undefined,
      State: { ...one!.State, Health: undefined },
      Mounts: [...one!.Mounts].sort((a, b) => (a.Destination < b.Destination ? -1 : 1)),
    })),
    changes: (await engine.containers.changes(container)).sort((a, b) => (a.path < b.path ? -1 : 1)),
    volumes: (await engine.volumes.list())
      .filter(({ Labels }) => mine(Labels))
      .sort((a, b) => (a.Name < b.Name ? -1 : 1)),
    networks: (await engine.networks.list()).filter(({ Labels }) => mine(Labels)),
    image: await engine.images.inspect(`${name}:1.0.0`),
    state: await readState(engine, name),
    files: await shell(volumes.map((one) => `echo /${one}/*; cat /${one}/file`)),
    here: await readdir(path.join(scratch.path, 'here')),
  }
}

/** Each verb that acts on an appliance, as it is typed; those that change are typed with --dry-run. */
const reading: Readonly<Record<string, (() => string[])[]>> = {
  preflight: [() => [product.layout]],
  plan: [() => [product.layout], () => [product.layout, '--set', 'keeper.memory=48m']],
  status: [() => []],
  logs: [() => []],
  drift: [() => [], () => ['--diff']],
}
const changing: Readonly<Record<string, (() => string[])[]>> = {
  install: [() => [product.layout], () => [product.layout, '--set', 'keeper.memory=48m']],
  memory: [() => ['keeper', '64m']],
  'restore-file': [() => ['/etc/tool']],
  reset: [
    ...['restart', 'clean', 'cache', 'settings', 'factory'].map((level) => () => [level]),
    () => ['factory', '--licence'],
  ],
  backup: [() => ['new.tar.gz'], () => ['new.tar.gz', '--cache']],
  restore: [() => ['kept.tar.gz', product.layout]],
  'support-bundle': [() => [], () => ['new.tar.gz']],
  uninstall: [() => [], () => ['--keep-data']],
}
/** These have files of their own. */
const elsewhere = ['demo', 'licence', 'pac', 'rebrand']

describe('every verb that acts on an appliance', () => {
  it('stands in this table, and those that change have --dry-run', async () => {
    const script = (await slipway(['completion', 'fish'])).stdout
    const withOption = (option: string): string[] =>
      [...script.matchAll(new RegExp(`seen_subcommand_from ([a-z-]+)' -l ${option} `, 'g'))].map(
        ([, verb]) => verb!,
      )
    const known = [...Object.keys(reading), ...Object.keys(changing), ...elsewhere]
    expect(withOption('name').filter((verb) => !known.includes(verb))).toEqual([])
    expect(Object.keys(changing).filter((verb) => !withOption('dry-run').includes(verb))).toEqual([])
    expect(known.filter((verb) => !withOption('json').includes(verb))).toEqual([])
  })

  const typed = [
    ...Object.entries(reading).flatMap(([verb, forms]) => forms.map((form) => ({ verb, form, dry: [] }))),
    ...Object.entries(changing).flatMap(([verb, forms]) =>
      forms.map((form) => ({ verb, form, dry: ['--dry-run'] })),
    ),
  ]

  it('with --json prints what a program can read, and only looking changes nothing', async () => {
    const before = await picture()
    for (const { verb, form, dry } of typed) {
      const words = [verb, ...form(), ...dry]
      const { stdout, exitCode } = await run(verb, ...form(), ...dry, '--json')
      // drift tells by its exit code that /etc/tool is damaged.
      expect({ words, exitCode }).toEqual({ words, exitCode: verb === 'drift' ? 1 : 0 })
      const documents = verb === 'logs' ? stdout.split('\n').filter(Boolean) : [stdout]
      for (const document of documents) expect(JSON.parse(document), words.join(' ')).toBeTypeOf('object')
      expect({ words, picture: await picture() }).toEqual({ words, picture: before })
    }
  })

  it('without --json, a dry run of it prints lines, and changes nothing either', async () => {
    const before = await picture()
    for (const [verb, [form]] of Object.entries(changing)) {
      const { stdout, exitCode } = await run(verb, ...form!(), '--dry-run')
      expect({ verb, exitCode, lines: stdout.trim() !== '' }).toEqual({ verb, exitCode: 0, lines: true })
    }
    expect(await picture()).toEqual(before)
  })

  it('tells by its exit code what came of it', async () => {
    const codeOf = async (...words: string[]): Promise<number | undefined> =>
      (await run(words[0]!, ...words.slice(1))).exitCode
    const busy = await withMutex(engine, name, 'install', silent, () => codeOf('memory', 'keeper', '64m'))
    const codes = {
      done: await codeOf('status'),
      failed: (await slipway(['logs', '--name', `${name}-none`])).exitCode,
      'bad usage': await codeOf('reset', 'everything'),
      'a bad file': await codeOf('restore', path.join(product.directory, 'appliance.yaml'), product.layout),
      'the host is not fit': await codeOf('install', product.layout, '--set', 'keeper.memory=900t', '--yes'),
      'no Engine': (await slipway(['status'], { env: { DOCKER_HOST: 'tcp://127.0.0.1:1' } })).exitCode,
      'another run is at work': busy,
    }
    expect(codes).toEqual({
      done: 0,
      failed: 1,
      'bad usage': 2,
      'a bad file': 2,
      'the host is not fit': 3,
      'no Engine': 3,
      'another run is at work': 6,
    })
  })
})

describe('a factory reset', () => {
  const names = async (): Promise<string[]> =>
    (await shell(volumes.map((one) => `[ ! -e /${one}/file ] || echo ${one}`))).split('\n').filter(Boolean)

  async function factory(...more: string[]): Promise<ResetReport> {
    const { stdout, stderr, exitCode } = await run('reset', 'factory', '--yes', '--json', ...more)
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 })
    return JSON.parse(stdout) as ResetReport
  }

  it('takes everything back but the licence: files, every other volume, and what was set', async () => {
    expect((await run('memory', 'keeper', '64m', '--json')).exitCode).toBe(0)
    const { goes, stays } = await factory()
    expect(goes.map((one) => one.holds ?? one.name).sort()).toEqual(
      [container, `${name}_data`, 'cache', 'settings', 'keeper.memory=64m'].sort(),
    )
    expect(stays.map((one) => one.holds ?? one.name).sort()).toEqual(['licence', `${name}_state`])
    expect(await names()).toEqual(['licence'])
    expect(await shell(['cat /etc/tool'])).toBe('as made\n')
    expect((await engine.containers.inspect(container))!.HostConfig.Memory).toBe(32 * 2 ** 20)
    const { settings, history } = await readState(engine, name)
    expect({ settings, releases: history.map(({ release }) => release) }).toEqual({
      settings: {},
      releases: ['1.0.0'],
    })
    expect((await run('plan', product.layout)).stdout).toContain('is as it should be')
  })

  it('with --licence takes that too', async () => {
    const { goes } = await factory('--licence')
    expect(goes.map((one) => one.holds)).toContain('licence')
    expect(await names()).toEqual([])
  })
})
