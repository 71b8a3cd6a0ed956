import { appendFile, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import type { Finding } from '../../src/host/finding.ts'
import { writeLicence } from '../../src/host/licence/licence-volume.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { type TinyProduct, writeTinyProduct } from '../support/tiny-services.ts'

const name = `slipway-test-licence-${process.pid}`
let engine: Engine
let scratch: Scratch
let first: TinyProduct
let second: TinyProduct

beforeAll(async () => {
  engine = await connectEngine()
  scratch = await makeScratch('licence')
  await run(['key', '--out', 'vendor'], { fails: false })
  await run(['key', '--out', 'stranger', '--type', 'p256'], { fails: false })
  first = await writeProduct('1.0.0', 'vendor.pub')
  second = await writeProduct('2.0.0', 'vendor.pub')
  await issue(first, 'good.json', 'vendor.key', ['--expires', '2099-12-31'])
  await issue(first, 'over.json', 'vendor.key', ['--expires', '2026-01-31'])
  const pirate = await writeProduct('1.0.1', 'stranger.pub')
  await issue(pirate, 'forged.json', 'stranger.key', [])
})

afterAll(async () => {
  await on(first, ['uninstall', '--yes'])
  for (const { tags } of await engine.images.list())
    for (const tag of tags) if (tag.startsWith(`${name}:`)) await engine.images.remove(tag)
  await scratch.remove()
})

/** A product one of whose services asks for a licence, with the service that doesn't beside it. */
async function writeProduct(version: string, key: string): Promise<TinyProduct> {
  const product = await writeTinyProduct(scratch.path, {
    name,
    version,
    services: [
      '  wan:',
      '    image: tiny',
      '    user: "1000"',
      '    command: ["/bin/busybox", "sleep", "100000"]',
      '    stop_grace_period: 1s',
      '    tmpfs: ["/seen:mode=1777"]',
      '    volumes: ["licence:/licence:ro"]',
      '    x-slipway: { component: base, reload: [/bin/busybox, cp, /licence/licence.json, /seen/licence] }',
    ].join('\n'),
    rest: 'volumes: { licence: { x-slipway: { holds: licence } } }\n',
  })
  await writeFile(
    path.join(product.directory, 'vendor.pub'),
    await readFile(path.join(scratch.path, key), 'utf8'),
  )
  await appendFile(path.join(product.directory, 'appliance.yaml'), 'keys: [vendor.pub]\n')
  await appendFile(path.join(product.directory, 'images', 'base', 'component.yaml'), 'licence: wan\n')
  return product
}

async function run(parameters: string[], { fails = true } = {}) {
  const { exitCode, stdout, stderr } = await slipway(parameters, { cwd: scratch.path })
  if (!fails && exitCode !== 0) throw new Error(stderr)
  // Lines of progress are not what is compared here.
  return {
    exitCode,
    stdout,
    error: stderr.split('\n').find((line) => line.startsWith('slipway: ')) ?? '',
    stderr,
  }
}

const issue = ({ directory }: TinyProduct, out: string, key: string, terms: string[]) =>
  run(
    [
      '-C',
      directory,
      'licence',
      'issue',
      '--key',
      key,
      '--customer',
      'Example Ltd',
      '--id',
      out,
      '--out',
      out,
      ...terms,
    ],
    { fails: false },
  )

const on = ({ directory }: TinyProduct, verb: string[]) => run(['-C', directory, ...verb, '--name', name])
const install = (product: TinyProduct, ...more: string[]) => on(product, ['install', product.layout, ...more])
const read = async (file: string): Promise<string> => {
  const command = ['/bin/busybox', 'cat', file]
  return (await engine.containers.exec(`${name}-wan-1`, command)).stdout
}
const own = async (): Promise<string[]> =>
  (await engine.containers.list()).map((one) => one.name).filter((one) => one.startsWith(name))

describe('a product with a component that asks for a licence', () => {
  it('is not installed without one, nor with a forged or ended one, and nothing is made', async () => {
    const results = [
      await install(first),
      await install(first, '--licence', 'forged.json'),
      await install(first, '--licence', 'over.json'),
      await install(first, '--licence', 'none.json'),
    ]
    const forger = /the key (sha256:[0-9a-f]{64})/.exec(results[1]!.error)![1]
    expect(results.map(({ exitCode, error }) => [exitCode, error])).toEqual([
      [
        2,
        'slipway: A licence for wan is needed, so release 1.0.0 is not installed; put it in place with `slipway install --licence FILE`.',
      ],
      [
        2,
        `slipway: forged.json was signed by the key ${forger}, which is none of this product's; ask the vendor for a licence of theirs.`,
      ],
      [2, 'slipway: The licence of Example Ltd ended on 2026-01-31; ask for a new one.'],
      [
        2,
        `slipway: The licence ${path.join(scratch.path, 'none.json')} cannot be read; name the file you were sent.`,
      ],
    ])
    expect(await own()).toEqual([])
  })

  it('passes preflight with a good one, and is planned with it; without one preflight says so', async () => {
    const findings = async (...more: string[]) => {
      const { exitCode, stdout } = await on(first, ['preflight', first.layout, '--json', ...more])
      const found = JSON.parse(stdout).findings as Finding[]
      return [exitCode, found.filter(({ check }) => check === 'licence')]
    }
    expect([await findings(), await findings('--licence', 'good.json')]).toEqual([
      [
        3,
        [
          {
            check: 'licence',
            status: 'fail',
            says: 'A licence for wan is needed, so release 1.0.0 is not installed',
            fix: 'put it in place with `slipway install --licence FILE`',
          },
        ],
      ],
      [0, [{ check: 'licence', status: 'pass', says: 'There is a licence for wan' }]],
    ])
    const planned = await on(first, ['plan', first.layout, '--licence', 'good.json'])
    expect([planned.exitCode, planned.stdout.includes(`licence in ${name}_licence`)]).toEqual([0, true])
    expect(await own()).toEqual([])
  })

  it('is installed with a good one, which its service reads as a file', async () => {
    const { exitCode, stderr } = await install(first, '--licence', 'good.json')
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(await read('/licence/licence.json')).toBe(
      await readFile(path.join(scratch.path, 'good.json'), 'utf8'),
    )
    expect(await own()).toEqual([`${name}-state`, `${name}-wan-1`].sort())
  })

  it('keeps it out of labels, environment and support bundles', async () => {
    const { signature } = JSON.parse(await readFile(path.join(scratch.path, 'good.json'), 'utf8'))
    const document = JSON.stringify(await engine.containers.inspect(`${name}-wan-1`))
    expect(document).not.toContain(signature)
    const { exitCode } = await on(first, ['support-bundle', 'evidence.tar.gz'])
    expect(exitCode).toBe(0)
    const evidence = gunzipSync(await readFile(path.join(scratch.path, 'evidence.tar.gz'))).toString('latin1')
    expect(evidence).toContain(`${name}-wan-1`)
    expect(evidence).not.toContain(signature)
  })

  it('takes the same one again without a change', async () => {
    const { exitCode, stdout } = await install(first, '--licence', 'good.json')
    expect({ exitCode, first: stdout.split('\n')[0] }).toEqual({
      exitCode: 0,
      first: `${name} is as it should be; nothing was changed.`,
    })
  })

  it('shows it, with the day on which it ends', async () => {
    const { exitCode, stdout } = await on(first, ['licence', 'show'])
    const today = new Date().toISOString().slice(0, 10)
    expect({ exitCode, lines: stdout.split('\n') }).toEqual({
      exitCode: 0,
      lines: [
        'customer  Example Ltd',
        `product   ${name}`,
        'grants    wan',
        `issued    ${today}, number good.json`,
        'holds     to 2099-12-31',
        'now       valid, to 2099-12-31',
      ],
    })
  })

  it('keeps it through every reset but factory --licence', async () => {
    const { exitCode } = await on(first, ['reset', 'factory', '--yes'])
    expect(exitCode).toBe(0)
    expect(await read('/licence/licence.json')).toContain('Example Ltd')
  })

  it('tells the service of a renewed one without a restart', async () => {
    const before = (await engine.containers.inspect(`${name}-wan-1`))?.State.StartedAt
    await issue(first, 'renewed.json', 'vendor.key', ['--trial', '3'])
    const { exitCode } = await install(first, '--licence', 'renewed.json')
    expect(exitCode).toBe(0)
    expect(await read('/licence/licence.json')).toContain('"renewed.json"')
    expect(await read('/seen/licence')).toContain('"renewed.json"')
    expect((await engine.containers.inspect(`${name}-wan-1`))?.State.StartedAt).toBe(before)
  })

  it('goes on when it has ended, and takes no other release until it is renewed', async () => {
    // The trial began a week ago.
    const volume = (await engine.volumes.list()).find(
      (one) => one.Labels?.['io.slipway.holds'] === 'licence' && one.Name.startsWith(name),
    )!
    const text = await readFile(path.join(scratch.path, 'renewed.json'), 'utf8')
    const since = new Date(Date.now() - 7 * 86_400_000).toISOString()
    await writeLicence(engine, name, volume.Name, { text, since })
    const ended = new Date(Date.parse(since) + 3 * 86_400_000).toISOString().slice(0, 10)

    const same = await install(first)
    expect({ exitCode: same.exitCode, first: same.stdout.split('\n')[0] }).toEqual({
      exitCode: 0,
      first: `${name} is as it should be; nothing was changed.`,
    })
    expect(same.stderr).toContain(
      `The licence of Example Ltd ended on ${ended}: ${name} 1.0.0 goes on as it is, and takes no other release`,
    )
    const upgrade = await install(second)
    expect([upgrade.exitCode, upgrade.error]).toEqual([
      3,
      `slipway: The licence of Example Ltd ended on ${ended}, so release 2.0.0 is not installed; ${name} 1.0.0 goes on as it is; put a new one in place with \`slipway install --licence FILE\`.`,
    ])
    expect((await on(first, ['licence', 'show'])).exitCode).toBe(1)

    const renewed = await install(second, '--licence', 'good.json')
    expect(renewed.exitCode).toBe(0)
    expect(await read('/etc/product')).toBe(`${name} 2.0.0\n`)
    expect((await on(second, ['licence', 'show'])).exitCode).toBe(0)
  })

  it('loses it with factory --licence', async () => {
    await on(second, ['reset', 'factory', '--licence', '--yes'])
    const { exitCode, error } = await on(second, ['licence', 'show'])
    expect([exitCode, error]).toEqual([
      1,
      `slipway: ${name} holds no licence; \`slipway install --licence FILE\` puts one in place.`,
    ])
  })
})
