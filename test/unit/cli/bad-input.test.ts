import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { repository, slipway } from '../../support/slipway.ts'
import type { TinyFile, TinyPackage } from '../../support/tiny-deb.ts'
import { TinyProduct } from '../../support/tiny-product.ts'

const shell: TinyPackage = { name: 'shell', version: '5.2', fields: { Essential: 'yes' } }
const app: TinyPackage = {
  name: 'app',
  version: '1.0-1',
  files: [{ path: 'app', content: 'an application\n', mode: 0o755 }],
}
const appDeb = 'pool/main/a/app/app_1.0-1_all.deb'

let product: TinyProduct

beforeEach(async () => {
  product = await TinyProduct.create([shell, app])
})
afterEach(() => product.remove())

const lockText = () => readFile(path.join(product.directory, 'appliance.lock'), 'utf8')

async function cachedFile(name: string): Promise<string> {
  const { packages } = JSON.parse(await lockText()).platforms['linux/amd64']
  const { sha256 } = packages.find((locked: { name: string }) => locked.name === name)
  return path.join(product.env.SLIPWAY_CACHE!, 'debs', `${sha256}.deb`)
}

describe('a YAML file that is wrong is refused before anything is written:', () => {
  const recipe = 'package: app\nscripts: []\n'
  it.each([
    [
      'appliance.yaml',
      'nmae: tiny\n',
      /^slipway: \d+ mistakes in the definition:\n {2}appliance\.yaml:1: nmae is unknown; did you mean name\? .*Correct them, then run: slipway validate$/s,
    ],
    [
      'appliance.yaml',
      'name: [tiny\n',
      'slipway: appliance.yaml:2: this is not YAML: flow sequence in block collection must be sufficiently indented and end with a ]. Correct it, then run: slipway validate',
    ],
    [
      'images/app/component.yaml',
      'package: [app]\n',
      'slipway: images/app/component.yaml:1: package is unknown; did you mean packages? Known at the top: description, layer, essential, optional, packages, sources, groups, users, directories, files, links, ports, checks, licence. Correct it, then run: slipway validate',
    ],
    [
      'images/app/component.yaml',
      'packages: {\n',
      /^slipway: images\/app\/component\.yaml:\d: this is not YAML: .*\. Correct it, then run: slipway validate$/,
    ],
    [
      'compose/appliance.yaml',
      'services:\n  app: { image: tiny, memlimit: 5m }\n',
      /^slipway: compose\/appliance\.yaml:2: services\.app\.memlimit is unknown; did you mean mem_limit\? .*Correct it, then run: slipway validate$/,
    ],
    [
      'compose/appliance.yaml',
      'services: "\n',
      /^slipway: compose\/appliance\.yaml:\d: this is not YAML: .*\. Correct it, then run: slipway validate$/,
    ],
    [
      'profiles/site.yaml',
      'descriptoin: A site\n',
      'slipway: profiles/site.yaml:1: descriptoin is unknown; did you mean description? Known at the top: description, extends, services, allowedNetworks, upstreamDns, maintenance. Correct it, then run: slipway validate',
    ],
    [
      'profiles/site.yaml',
      '- a\nb: c\n',
      /^slipway: profiles\/site\.yaml:\d: this is not YAML: .*\. Correct it, then run: slipway validate$/,
    ],
  ])('%s: %j', async (file, text, sentence) => {
    await product.write({ [file]: text })
    for (const verb of [['validate'], ['lock'], ['build']]) {
      const { exitCode, stdout, stderr } = await slipway(verb, { cwd: product.directory, env: product.env })
      expect({ exitCode, stdout, stderr }).toEqual({
        exitCode: 2,
        stdout: '',
        stderr: typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
      })
    }
    expect(await product.traces()).toEqual([])
    const { stdout } = await slipway(['validate', '--json'], { cwd: product.directory, env: product.env })
    const { valid, problems } = JSON.parse(stdout)
    expect([valid, problems[0].file]).toEqual([false, file])
  })

  it.each([
    [
      'script: []\n',
      ':1: the key "script" is unknown; the nearest known is "scripts". Correct it, then run: slipway validate',
    ],
    ['scripts: [\n', / is no YAML: .*\. Correct it, then run: slipway validate$/],
  ])('images/recipes/app.yaml: %j', async (line, sentence) => {
    await product.type('lock')
    await product.write({ 'images/recipes/app.yaml': recipe.replace('scripts: []\n', line) })
    const file = path.join(product.directory, 'images', 'recipes', 'app.yaml')
    for (const verb of [['validate'], ['build']]) {
      const { exitCode, said } = await product.type(...verb)
      expect(exitCode).toBe(2)
      expect(said.startsWith(`slipway: ${file}`)).toBe(true)
      const rest = said.slice(`slipway: ${file}`.length)
      if (typeof sentence === 'string') expect(rest).toBe(sentence)
      else expect(rest).toMatch(sentence)
    }
    expect(await product.traces()).toEqual(['product/appliance.lock'])
  })
})

describe('slipway lock writes nothing', () => {
  it('for a package that does not exist, and offers the nearest names', async () => {
    await product.write({ 'images/app/component.yaml': 'packages: [apps]\n' })
    expect(await product.type('lock')).toEqual({
      exitCode: 2,
      said: 'slipway: The package apps, asked for by app, is not in the archive for amd64; near to it: app. Correct packages, pins, exclude or sources of the definition, then run: slipway lock',
    })
    expect(await product.traces()).toEqual([])
  })

  it('for a set that cannot be, and says which two requirements meet', async () => {
    await product.publish([
      shell,
      { ...app, fields: { Depends: 'left, right' } },
      { name: 'left', version: '1', fields: { Conflicts: 'shared' } },
      { name: 'right', version: '1', fields: { Depends: 'shared' } },
      { name: 'shared', version: '1' },
    ])
    expect(await product.type('lock')).toEqual({
      exitCode: 2,
      said: 'slipway: No set of packages fits on amd64: app → app → right needs shared, but left 1 conflicts with shared, and there is app → app → left. Correct packages, pins, exclude or sources of the definition, then run: slipway lock',
    })
    expect(await product.traces()).toEqual([])
  })

  it('at Ctrl-C, whatever it waits for', async () => {
    for (const name of ['dists/trixie/InRelease', 'dists/trixie/main/binary-amd64']) {
      const at = [...product.server.files.keys()].filter((file) => file.includes(name))
      for (const file of at) product.server.misbehave(file, 'silence')
      const before = product.server.requests.length
      const asked = () => product.server.paths.slice(before).some((asked) => asked.includes(name))
      expect(await interrupt(['lock'], asked)).toEqual([130, 'Interrupted; nothing was left half-done.'])
      expect(await product.traces()).toEqual([])
    }
  })
})

describe('slipway build writes no layout', () => {
  beforeEach(async () => {
    expect((await product.type('lock')).exitCode).toBe(0)
  })

  const refused = async (exitCode: number, said: string | RegExp): Promise<void> => {
    expect(await product.type('build')).toEqual({
      exitCode,
      said: typeof said === 'string' ? said : expect.stringMatching(said),
    })
    expect(await product.traces()).toEqual(['product/appliance.lock'])
  }

  it('for a platform that the product does not have', () =>
    product.type('build', '--platform', 'arm64').then(async (result) => {
      expect(result).toEqual({
        exitCode: 2,
        said: "slipway: --platform arm64 is not one of this product's platforms, linux/amd64; did you mean linux/amd64?",
      })
      expect(await product.traces()).toEqual(['product/appliance.lock'])
    }))

  it('without a lock', async () => {
    await rm(path.join(product.directory, 'appliance.lock'))
    expect(await product.type('build')).toEqual({
      exitCode: 2,
      said: `slipway: There is no appliance.lock in ${product.directory}; to make one: slipway lock`,
    })
    expect(await product.traces()).toEqual([])
  })

  it.each([
    ['truncated', (deb: Buffer) => deb.subarray(0, deb.length - 100)],
    ['bit-flipped', (deb: Buffer) => Buffer.from(deb.map((byte, at) => (at === 200 ? byte ^ 1 : byte)))],
    ['swapped', (deb: Buffer) => Buffer.alloc(deb.length, 'x')],
  ])('from a mirror with a %s .deb, and keeps none of it', async (_, damage) => {
    product.server.files.set(appDeb, damage(product.server.files.get(appDeb) as Buffer))
    await refused(1, /^slipway: .*app_1\.0-1_all\.deb.*\.$/)
    const debs = await readdir(path.join(product.env.SLIPWAY_CACHE!, 'debs'))
    expect(debs).not.toContain(path.basename(await cachedFile('app')))
  })

  it('from a lock edited by hand', async () => {
    await product.write({ 'appliance.lock': (await lockText()).replace('"needs"', '"need"') })
    await refused(
      2,
      'slipway: appliance.lock was changed by hand or damaged: platforms.linux/amd64.packages[0] has no needs. Put the committed one back, or delete it and run: slipway lock',
    )
  })

  it('from a lock that a package was taken out of by hand', async () => {
    const lock = JSON.parse(await lockText())
    lock.platforms['linux/amd64'].packages.pop()
    await product.write({ 'appliance.lock': JSON.stringify(lock) })
    await refused(
      2,
      'slipway: appliance.lock does not fit the definition: app asks for app, which is not locked for it. Bring it up to date: slipway lock',
    )
  })

  it('from a lock older than the definition', async () => {
    await product.write({ 'images/app/component.yaml': 'packages: [app, tool]\n' })
    await refused(
      2,
      'slipway: appliance.lock does not fit the definition: app asks for tool, which is not locked for it. Bring it up to date: slipway lock',
    )
  })

  it('from a lock of a newer assemblyVersion, and no other verb takes it either', async () => {
    const text = (await lockText()).replace(/"assemblyVersion": \d+/, '"assemblyVersion": 99')
    await product.write({ 'appliance.lock': text })
    const sentence =
      /^slipway: appliance\.lock is for assemblyVersion 99, and this Slipway builds by \d+, which would give other bytes: use the Slipway that wrote it, or a newer one\.$/
    await refused(2, sentence)
    for (const verb of [['lock'], ['vendor'], ['sbom'], ['outdated'], ['why', 'app']]) {
      expect(await product.type(...verb)).toEqual({ exitCode: 2, said: expect.stringMatching(sentence) })
    }
    expect([await lockText(), await product.traces()]).toEqual([text, ['product/appliance.lock']])
  })
})

describe('a package whose tar is hostile stops the build, by its name:', () => {
  it.each<[string, TinyFile]>([
    [
      'it holds the path ./usr/../../etc/passwd, which leads out of the tree',
      { path: './usr/../../etc/passwd', content: 'x' },
    ],
    ['it holds the absolute path /etc/passwd', { path: '/etc/passwd', content: 'x' }],
    [
      'it holds a device node or pipe, /sda, which a package may not',
      { path: './sda', type: 'block-device' },
    ],
    [
      'the link /a to ../etc/shadow leads out of the tree',
      { path: './a', type: 'symlink', target: '../etc/shadow' },
    ],
    [
      'it holds the path ../outside, which leads out of the tree',
      { path: './a', type: 'link', target: '../outside' },
    ],
  ])('%s', async (reason, file) => {
    await product.publish([shell, { ...app, files: [file] }])
    await product.type('lock')
    expect(await product.type('build')).toEqual({
      exitCode: 1,
      said: `slipway: app_1.0-1_all.deb is damaged: ${reason}; its SHA-256 is the lock's, so only another version helps: slipway lock --update app`,
    })
    expect(await product.traces()).toEqual(['product/appliance.lock'])
  })
})

describe('one cache', () => {
  it('whose .deb is truncated, bit-flipped or swapped is healed', async () => {
    await product.type('lock')
    const manifest = async () => {
      await rm(path.join(product.env.SLIPWAY_CACHE!, 'layers'), { recursive: true, force: true })
      const { stdout } = await slipway(['build', '--json'], { cwd: product.directory, env: product.env })
      return JSON.parse(stdout).images[0].manifest
    }
    const expected = await manifest()
    const file = await cachedFile('app')
    const whole = await readFile(file)
    const damages = [
      () => truncate(file, 100),
      () => writeFile(file, Buffer.from(whole.map((byte, at) => (at === 200 ? byte ^ 1 : byte)))),
      () => writeFile(file, Buffer.alloc(whole.length, 'x')),
    ]
    for (const damage of damages) {
      await damage()
      expect([await manifest(), (await readFile(file)).equals(whole)]).toEqual([expected, true])
    }
  })

  it('serves two builds at once', async () => {
    await product.type('lock')
    const both = await Promise.all([product.type('build'), product.type('build')])
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    expect((await product.traces()).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })
})

describe('slipway vendor', () => {
  it('interrupted by Ctrl-C leaves whole packages only, and the next run the rest', async () => {
    await product.type('lock')
    product.server.misbehave(appDeb, { stall: 0.5 })
    const asked = () => product.server.paths.includes(appDeb)
    expect(await interrupt(['vendor'], asked)).toEqual([130, 'Interrupted; nothing was left half-done.'])
    expect((await product.traces()).filter((name) => name.endsWith('.tmp'))).toEqual([])
    expect((await product.type('vendor')).exitCode).toBe(0)
    expect(await readdir(path.join(product.directory, 'vendor'))).toEqual([
      'SHA256SUMS',
      'app_1.0-1_all.deb',
      'shell_5.2_all.deb',
    ])
  })

  it('refuses a file in place of its folder', async () => {
    await product.type('lock')
    expect(await product.type('vendor', 'key.asc')).toEqual({
      exitCode: 2,
      said: `slipway: ${path.join(product.directory, 'key.asc')} is a file; name a folder for the packages: slipway vendor DIR`,
    })
  })

  it('takes a folder after --platform', async () => {
    await product.type('lock')
    expect((await product.type('vendor', '--platform', 'amd64', 'elsewhere')).exitCode).toBe(0)
    expect(await readdir(path.join(product.directory, 'elsewhere'))).toContain('app_1.0-1_all.deb')
  })
})

/** Runs a command until `reached`, then types Ctrl-C: its exit code, and its last words. */
async function interrupt(parameters: readonly string[], reached: () => boolean): Promise<[number, string]> {
  const program = path.join(repository, 'dist', 'program', 'main.js')
  const child = spawn(process.execPath, [program, ...parameters], {
    cwd: product.directory,
    env: { ...process.env, ...product.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const closed = once(child, 'close')
  const deadline = Date.now() + 20_000
  while (!reached() && Date.now() < deadline) await sleep(20)
  child.kill('SIGINT')
  const [code] = await closed
  return [
    code,
    said
      .trim()
      .split('\n')
      .at(-1)!
      .replace(/^slipway: /, ''),
  ]
}
