import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Ajv } from 'ajv'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadDefinition } from '../../../src/definition/load.ts'
import { loadProfile } from '../../../src/definition/profile-load.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { slipway } from '../../support/slipway.ts'

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('init')
})
afterEach(() => scratch.remove())

const type = async (...words: string[]) => {
  const { exitCode, stdout, stderr } = await slipway(words, { cwd: scratch.path })
  return { exitCode, stdout, stderr }
}
const at = (...parts: string[]): string => path.join(scratch.path, ...parts)
const files = async (): Promise<string[]> =>
  (await readdir(scratch.path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) =>
      path.relative(scratch.path, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'),
    )
    .sort()

const made = [
  'acme-wan/.gitignore',
  'acme-wan/.slipway/schema/appliance.schema.json',
  'acme-wan/.slipway/schema/component.schema.json',
  'acme-wan/.slipway/schema/compose.schema.json',
  'acme-wan/.slipway/schema/profile.schema.json',
  'acme-wan/README.md',
  'acme-wan/appliance.yaml',
  'acme-wan/images/brand/logo.svg',
  'acme-wan/images/brand/rootfs/usr/share/acme-wan/support.txt',
  'acme-wan/images/tools/component.yaml',
  'acme-wan/profiles/shop.yaml',
]

describe('init', () => {
  it('makes a right product directory of what differs, with what the partner said', async () => {
    const words = [
      '--vendor',
      'Acme: "Networks" & Co',
      '--product',
      '# WAN',
      '--command',
      'acme',
      '--support',
      "it's 1",
    ]
    const { exitCode, stdout } = await type('init', 'acme-wan', ...words)
    expect([exitCode, stdout.split('\n').at(-1)]).toEqual([
      0,
      'Next: slipway -C acme-wan lock, then slipway -C acme-wan build',
    ])
    expect(await files()).toEqual(made)
    const definition = await loadDefinition(at('acme-wan'))
    const { name, parent, layers, brand } = definition
    expect({ name, parent: parent?.name, layers, brand }).toEqual({
      name: 'acme-wan',
      parent: 'slipway-reference',
      layers: ['base', 'libraries', 'dns', 'optimiser', 'tools', 'brand'],
      brand: {
        vendor: 'Acme: "Networks" & Co',
        product: '# WAN',
        command: 'acme',
        support: "it's 1",
        banner: "# WAN\nHelp: it's 1\n",
        colours: { primary: '#1f5fa8', accent: '#f29f05' },
        logo: at('acme-wan', 'images', 'brand', 'logo.svg'),
      },
    })
    expect((await loadProfile(definition, 'shop')).services.optimiser).toEqual({
      memory: 384 * 1024 ** 2,
      cache: '1g',
      port: '3128',
      restart: 'always',
    })
  })

  it('names what it is not told after the folder', async () => {
    await type('init', 'acme-wan')
    const { vendor, product, command } = (await loadDefinition(at('acme-wan'))).brand
    expect({ vendor, product, command }).toEqual({ vendor: 'Acme', product: 'Acme Wan', command: 'acme-wan' })
  })

  it.each(['365', '1e3', 'null'])('takes the name %s for a name', async (name) => {
    expect((await type('init', name)).exitCode).toBe(0)
    expect((await loadDefinition(at(name))).name).toBe(name)
  })

  it('extends another directory by the way that leads there', async () => {
    await type('init', 'bases/acme-base')
    expect(await type('init', 'acme-wan', '--extends', 'bases/acme-base')).toMatchObject({ exitCode: 0 })
    expect(parse(await readFile(at('acme-wan', 'appliance.yaml'), 'utf8'))).toMatchObject({
      extends: '../bases/acme-base',
    })
  })

  it('extends a product that has neither the profiles of the reference nor its optimiser', async () => {
    expect((await type('init', 'base')).exitCode).toBe(0)
    await mkdir(at('base', 'compose'))
    await mkdir(at('base', 'images', 'optimiser'))
    await writeFile(at('base', 'images', 'optimiser', 'component.yaml'), 'optional: true\n')
    await writeFile(
      at('base', 'compose', 'appliance.yaml'),
      'services: { optimiser: }\nvolumes: { cache: }\n',
    )
    await writeFile(at('base', 'profiles', 'shop.yaml'), 'extends: branch\n')
    for (const name of ['branch', 'campus', 'datacentre'])
      await writeFile(at('base', 'profiles', `${name}.yaml`), 'services: { optimiser: }\n')
    expect(await type('init', 'acme', '--extends', 'base')).toMatchObject({ exitCode: 0, stderr: '' })
    const profile = await loadProfile(await loadDefinition(at('acme')), 'shop')
    expect(Object.keys(profile.services)).toEqual(['dns'])
  })

  it('says where a mistake of the extended product is', async () => {
    expect((await type('init', 'base')).exitCode).toBe(0)
    await mkdir(at('base', 'compose'))
    await writeFile(at('base', 'compose', 'appliance.yaml'), 'services: { dns: { bogus: 1 } }\n')
    const { exitCode, stderr } = await type('init', 'acme', '--extends', 'base')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('../base/compose/appliance.yaml:1: services.dns.bogus is unknown')
  })

  it('fills an empty folder, also one that git made', async () => {
    await mkdir(at('acme-wan', '.git'), { recursive: true })
    expect(await type('init', 'acme-wan')).toMatchObject({ exitCode: 0 })
    expect(await files()).toEqual(made)
  })

  it('writes nothing with --dry-run', async () => {
    expect((await type('init', 'acme-wan', '--dry-run', '--json')).stdout).toContain('"written": false')
    expect(await files()).toEqual([])
  })

  it('points every file at a schema that is there, and takes the file for right', async () => {
    await type('init', 'acme-wan')
    const read = (file: string) => readFile(at('acme-wan', ...file.split('/')), 'utf8')
    const schemas = ['appliance', 'component', 'compose', 'profile'].map((name) => `${name}.schema.json`)
    const ajv = new Ajv({ strict: false })
    for (const name of schemas) ajv.addSchema(JSON.parse(await read(`.slipway/schema/${name}`)), name)
    for (const file of made
      .filter((one) => one.endsWith('.yaml'))
      .map((one) => one.slice('acme-wan/'.length))) {
      const text = await read(file)
      const pointed = /^# yaml-language-server: \$schema=(\S+)/.exec(text)![1]!
      const schema = path.posix.join(path.posix.dirname(file), pointed)
      expect(ajv.validate(path.posix.basename(schema), parse(text)), `${file}: ${ajv.errorsText()}`).toBe(
        true,
      )
    }
    expect(ajv.validate('appliance.schema.json', { brand: { vendr: 'Acme' } })).toBe(false)
    expect(ajv.validate('appliance.schema.json', { pins: { zlib1g: null }, exclude: null })).toBe(true)
    expect(ajv.validate('appliance.schema.json', { 'omit+': [{ path: '/usr' }] })).toBe(false)
  })
})

describe('init is refused, and nothing is written', () => {
  it.each<[string, string[], string]>([
    [
      'where something stands already',
      ['full'],
      'FULL is not empty, and nothing was written; name a folder that is, or that is not there yet: slipway init DIR',
    ],
    [
      'for a name that no image can have',
      ['Acme_WAN'],
      'The folder\'s name is the product\'s, and "Acme_WAN" cannot be one; use lower-case letters, digits and single hyphens, as in: slipway init acme-wan',
    ],
    [
      'for an empty word',
      ['acme-wan', '--vendor', ' '],
      '--vendor is empty, or more than one line; write one line of text.',
    ],
    [
      'for a command that no shell takes',
      ['acme-wan', '--command', 'Acme WAN'],
      '--command "Acme WAN" is nothing that a user could type everywhere; use lower-case letters, digits and hyphens, and no word of the shell\'s own, as in acme-wan.',
    ],
    [
      'for a command that is the shell’s own',
      ['acme-wan', '--command', 'if'],
      '--command "if" is nothing that a user could type everywhere; use lower-case letters, digits and hyphens, and no word of the shell\'s own, as in acme-wan.',
    ],
    [
      'for a product to extend that is not there',
      ['acme-wan', '--extends', 'nothing'],
      '--extends nothing names no product directory (there is no NOTHING); name one, or leave it out for slipway-reference.',
    ],
  ])('%s', async (_, words, sentence) => {
    await mkdir(at('full'))
    await writeFile(at('full', 'file'), '')
    const { exitCode, stderr } = await type('init', ...words)
    const told = sentence.replace('FULL', at('full')).replace('NOTHING', at('nothing', 'appliance.yaml'))
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `slipway: ${told}` })
    expect(await files()).toEqual(['full/file'])
  })
})

describe('the schemas for editors', () => {
  const schemas = made
    .filter((file) => file.includes('/schema/'))
    .map((file) => file.slice('acme-wan/'.length))
  const valid =
    'acme-wan 1.0.0 is valid: 6 components (base, libraries, dns, optimiser, tools, brand), profiles branch, campus, datacentre, shop.'
  const profile = '.slipway/schema/profile.schema.json'

  it('of another version are told by validate, and written anew by init, which touches nothing else', async () => {
    await type('init', 'acme-wan')
    expect((await type('-C', 'acme-wan', 'validate')).stdout).toBe(valid)
    const fresh = await readFile(at('acme-wan', profile), 'utf8')
    await writeFile(at('acme-wan', profile), '{}')
    await writeFile(at('acme-wan', 'README.md'), 'mine')
    expect((await type('-C', 'acme-wan', 'validate')).stdout).toBe(
      `${valid}\nWhat your editor checks by, .slipway/schema, is of another Slipway; to write it anew: slipway init --schemas acme-wan`,
    )
    const { stdout } = await type('-C', 'acme-wan', 'validate', '--json')
    expect(JSON.parse(stdout)).toEqual({ valid: true, problems: [], staleSchemas: [profile] })
    const looked = await type('init', '--schemas', 'acme-wan', '--dry-run', '--json')
    expect(JSON.parse(looked.stdout)).toEqual({ directory: at('acme-wan'), written: false, files: schemas })
    expect(await readFile(at('acme-wan', profile), 'utf8')).toBe('{}')
    expect((await type('init', '--schemas', 'acme-wan')).exitCode).toBe(0)
    expect(await readFile(at('acme-wan', profile), 'utf8')).toBe(fresh)
    expect(await readFile(at('acme-wan', 'README.md'), 'utf8')).toBe('mine')
    expect((await type('-C', 'acme-wan', 'validate')).stdout).toBe(valid)
  })

  it('with the line ends of Windows are as good', async () => {
    await type('init', 'acme-wan')
    const text = await readFile(at('acme-wan', profile), 'utf8')
    await writeFile(at('acme-wan', profile), text.replaceAll('\n', '\r\n'))
    expect((await type('-C', 'acme-wan', 'validate')).stdout).toBe(valid)
  })

  it('are not missed where a product keeps none', async () => {
    await type('init', 'acme-wan')
    await rm(at('acme-wan', '.slipway'), { recursive: true })
    expect((await type('-C', 'acme-wan', 'validate')).stdout).toBe(valid)
  })

  it('are written into a product directory only', async () => {
    const { exitCode, stderr } = await type('init', '--schemas', 'nothing')
    expect([exitCode, stderr, await files()]).toEqual([
      2,
      'slipway: nothing is no product directory (it has no appliance.yaml), and nothing was written; to make one: slipway init DIR',
      [],
    ])
  })
})
