// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of Compose.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadCompose } from '../../../src/definition/compose-file.ts'
import { explainFile } from '../../../src/definition/explain-file.ts'
import { explainValue } from '../../../src/definition/explain-value.ts'
import { loadDefinition } from '../../../src/definition/load.ts'
import { readOverlays } from '../../../src/definition/overlay.ts'
import { readParentContent } from '../../../src/definition/parent-content.ts'
import { loadProfile, profileNames } from '../../../src/definition/profile-load.ts'
import { readDefinitionFiles } from '../../../src/definition/values.ts'
import { composeText } from '../../support/compose-text.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { repository } from '../../support/slipway.ts'

const base = {
  'appliance.yaml': `name: wan-base
version: 1.0.0
description: The base
debian: { suite: trixie, keyrings: [keys/debian.asc] }
platforms: [linux/amd64]
layers: [base, web, brand]
pins: { openssl: 3.5.*, zlib1g: "1:1.3.*" }
brand: { vendor: Base, product: Base, command: base, support: nobody, banner: Hello }
`,
  'keys/debian.asc': 'a key',
  'images/base/component.yaml': 'essential: true\n',
  'images/web/component.yaml': 'packages: [lighttpd]\nports: [80/tcp]\n',
  'images/web/rootfs/etc/web.conf': 'base\n',
  'images/web/rootfs/etc/kept.conf': 'base\n',
  'images/recipes/web.yaml': 'of the base',
  'compose/appliance.yaml': `services:
  web: { image: tiny, mem_limit: "\${WEB_MEMORY:-64m}", ports: ["80:80"], labels: { a: "1" } }
  log: { image: tiny }
`,
  'profiles/branch.yaml': 'services: { web: { memory: 64m } }\n',
  'profiles/campus.yaml': 'extends: branch\n',
}

const child = {
  'appliance.yaml': `extends: ../base
name: acme-wan
version: 2.0.0
layers+: [tools]
pins: { openssl: 3.6.*, zlib1g: }
brand: { vendor: Acme, command: acme-wan }
`,
  'images/tools/component.yaml': 'packages: [tcpdump]\n',
  'images/web/component.yaml': 'packages+: [lighttpd, curl]\n',
  'images/web/rootfs/etc/web.conf': 'acme\n',
  'compose/appliance.yaml': 'services: { web: { labels: { b: "2" } }, log: }\n',
  'compose/tools.yaml': 'services: { tools: { image: tiny, x-slipway: { component: tools } } }\n',
  'profiles/branch.yaml': 'services: { web: { memory: 128m } }\n',
}

let scratch: Scratch

beforeEach(async () => {
  scratch = await makeScratch('extends')
  await put('base', base)
  await put('child', child)
})
afterEach(() => scratch.remove())

async function put(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    const target = path.join(scratch.path, folder, ...file.split('/'))
    await mkdir(path.dirname(target), { recursive: true })
    await writeFile(target, text)
  }
}

const at = (...parts: string[]): string => path.join(scratch.path, ...parts)
const load = () => loadDefinition(at('child'))

describe('a product that extends another', () => {
  it('has what it says itself, and for the rest what its parent says', async () => {
    const { name, version, description, platforms, layers, pins, brand, parent } = await load()
    expect({ name, version, description, platforms, layers, pins, brand, parent }).toEqual({
      name: 'acme-wan',
      version: '2.0.0',
      description: 'The base',
      platforms: ['linux/amd64'],
      // What is added goes beneath the brand.
      layers: ['base', 'web', 'tools', 'brand'],
      // An empty value takes away what the parent says.
      pins: { openssl: '3.6.*' },
      brand: { vendor: 'Acme', product: 'Base', command: 'acme-wan', support: 'nobody', banner: 'Hello' },
      parent: { name: 'wan-base', version: '1.0.0', directory: at('base') },
    })
  })

  it('adds components, and adds to those of its parent', async () => {
    const { components } = await load()
    expect(components.map(({ name, packages, ports }) => ({ name, packages, ports }))).toEqual([
      { name: 'base', packages: [], ports: [] },
      { name: 'web', packages: ['lighttpd', 'curl'], ports: ['80/tcp'] },
      { name: 'tools', packages: ['tcpdump'], ports: [] },
    ])
  })

  it('finds keyrings, recipes and overlay files with its parent where it has none of that path', async () => {
    const { debian, recipeFolders, components } = await load()
    expect(debian.keyrings).toEqual([at('base', 'keys', 'debian.asc')])
    expect(recipeFolders).toEqual([
      at('child', 'images', 'recipes'),
      at('base', 'images', 'recipes'),
      path.join(repository, 'images', 'recipes'),
    ])
    const overlay = await readOverlays(components[1]!.rootfs)
    expect(overlay.map((file) => [file.path, Buffer.from(file.content!).toString()])).toEqual([
      ['etc/kept.conf', 'base\n'],
      ['etc/web.conf', 'acme\n'],
    ])
  })

  it('merges services key by key, takes away what it leaves empty, and adds others', async () => {
    const { services } = await loadCompose(await load(), { WEB_MEMORY: '32m' })
    expect(
      services.map(({ name, labels, memory, ports }) => ({ name, labels, memory, ports: ports.length })),
    ).toEqual([
      { name: 'web', labels: { a: '1', b: '2' }, memory: 32 * 1024 ** 2, ports: 1 },
      { name: 'tools', labels: {}, memory: undefined, ports: 0 },
    ])
  })

  it('gives docker-compose one text of all its files', async () => {
    expect(await composeText(await load())).toBe(`services:
  web:
    image: tiny
    mem_limit: \${WEB_MEMORY:-64m}
    ports:
      - 80:80
    labels:
      a: "1"
      b: "2"
  tools:
    image: tiny
    x-slipway:
      component: tools
`)
  })

  it('lays a profile over the parent’s of the same name, also beneath a profile of the parent', async () => {
    const definition = await load()
    expect(await profileNames(definition)).toEqual(['branch', 'campus'])
    expect((await loadProfile(definition, 'campus')).services).toEqual({ web: { memory: 128 * 1024 ** 2 } })
  })

  it('may be extended itself', async () => {
    await put('grandchild', { 'appliance.yaml': 'extends: ../child\nname: acme-mini\nversion: 3.0.0\n' })
    const { name, layers, brand, roots } = await loadDefinition(at('grandchild'))
    expect({ name, layers, vendor: brand.vendor, labels: roots.map(({ label }) => label) }).toEqual({
      name: 'acme-mini',
      layers: ['base', 'web', 'tools', 'brand'],
      vendor: 'Acme',
      labels: ['', '../child', '../base'],
    })
  })

  it('finds its parent by an absolute path too', async () => {
    const text = child['appliance.yaml'].replace('../base', at('base').split(path.sep).join('/'))
    await put('child', { 'appliance.yaml': text })
    expect((await load()).parent?.directory).toBe(at('base'))
  })

  it('remembers a link of its parent’s overlay as the link’s text, wherever that leads on this machine', async () => {
    const digest = async () => (await readParentContent(await load()))!.digest
    const link = at('base', 'images', 'web', 'rootfs', 'etc', 'link')
    await symlink(at('target'), link)
    const dangling = await digest()
    await writeFile(at('target'), 'a file of the host')
    expect(await digest()).toBe(dangling)
    await rm(at('target'))
    await mkdir(at('target'))
    expect(await digest()).toBe(dangling)
    await rm(link)
    await symlink('/elsewhere', link)
    expect(await digest()).not.toBe(dangling)
  })

  it('does not remember what a desktop left in a folder of its parent', async () => {
    const before = await readParentContent(await load())
    await put('base', { 'images/web/rootfs/.DS_Store': 'x', 'images/web/Thumbs.db': 'x' })
    expect(await readParentContent(await load())).toEqual(before)
  })

  it('extends the reference appliance, which Slipway brings along, by its name', async () => {
    await put('child', { 'appliance.yaml': 'extends: slipway-reference\nname: acme-wan\nversion: 2.0.0\n' })
    await put('child', { 'compose/appliance.yaml': 'services: {}\n', 'compose/tools.yaml': 'services: {}\n' })
    await put('child', {
      'images/web/component.yaml': 'layer: dns\n',
      'images/tools/component.yaml': 'layer: dns\n',
    })
    await put('child', { 'profiles/branch.yaml': 'description: A branch of Acme\n' })
    const { parent, components } = await load()
    expect(parent?.name).toBe('slipway-reference')
    expect(components.map(({ name }) => name)).toEqual([
      'base',
      'libraries',
      'dns',
      'tools',
      'web',
      'optimiser',
      'brand',
    ])
  })
})

describe('explainValue', () => {
  const explain = async (asked: string) => explainValue(await readDefinitionFiles(at('child')), asked)

  it('names the file and line that set a value, and what it overrode', async () => {
    expect(await explain('brand.vendor')).toEqual({
      path: 'brand.vendor',
      value: 'Acme',
      settings: [
        { file: '../base/appliance.yaml', line: 8, value: 'Base', does: 'sets' },
        { file: 'appliance.yaml', line: 6, value: 'Acme', does: 'sets' },
      ],
      parts: [],
    })
  })

  it('tells a list that was added to from one that was replaced', async () => {
    expect(await explain('components.web.packages')).toEqual({
      path: 'components.web.packages',
      value: ['lighttpd', 'curl'],
      settings: [
        { file: '../base/images/web/component.yaml', line: 1, value: ['lighttpd'], does: 'sets' },
        { file: 'images/web/component.yaml', line: 1, value: ['lighttpd', 'curl'], does: 'adds' },
      ],
      parts: [],
    })
  })

  it('says who took a value away', async () => {
    expect(await explain('pins.zlib1g')).toEqual({
      path: 'pins.zlib1g',
      settings: [
        { file: '../base/appliance.yaml', line: 7, value: '1:1.3.*', does: 'sets' },
        { file: 'appliance.yaml', line: 5, value: null, does: 'removes' },
      ],
      parts: [],
    })
  })

  it('shows what a Compose variable is when no profile says otherwise', async () => {
    const { value, unlessTold, settings } = await explain('services.web.mem_limit')
    expect({ value, unlessTold, settings }).toEqual({
      value: '${WEB_MEMORY:-64m}',
      unlessTold: '64m',
      settings: [
        { file: '../base/compose/appliance.yaml', line: 2, value: '${WEB_MEMORY:-64m}', does: 'sets' },
      ],
    })
  })

  it('lists what is below a map, each part with its own file', async () => {
    const { parts } = await explain('brand')
    expect(parts.map(({ path: where, value, settings }) => [where, value, settings.at(-1)?.file])).toEqual([
      ['brand.vendor', 'Acme', 'appliance.yaml'],
      ['brand.product', 'Base', '../base/appliance.yaml'],
      ['brand.command', 'acme-wan', 'appliance.yaml'],
      ['brand.support', 'nobody', '../base/appliance.yaml'],
      ['brand.banner', 'Hello', '../base/appliance.yaml'],
    ])
  })

  it('suggests the nearest of an unknown path, or the same word elsewhere', async () => {
    await expect(explain('brand.vendr')).rejects.toThrow(
      'No file of this product sets brand.vendr; near to it: brand.vendor. To see all that is set: slipway explain',
    )
    await expect(explain('optimiser.mem_limit')).rejects.toThrow(
      'No file of this product sets optimiser.mem_limit; near to it: services.web.mem_limit. To see all that is set: slipway explain',
    )
  })

  it('says which directory a file is taken from, by its path in the product or in the image', async () => {
    const { roots } = await load()
    const told = [
      {
        path: 'images/web/rootfs/etc/web.conf',
        from: 'images/web/rootfs/etc/web.conf',
        over: ['../base/images/web/rootfs/etc/web.conf'],
      },
    ]
    expect(await explainFile(roots, 'images/web/rootfs/etc/web.conf')).toEqual(told)
    expect(await explainFile(roots, '/etc/web.conf')).toEqual(told)
  })
})

describe('extends is refused', () => {
  const refusal = async (): Promise<string> =>
    load().then(
      () => 'nothing was refused',
      (error: Error) => error.message,
    )

  it('where it leads to no product, naming what was probably meant', async () => {
    await put('child', { 'appliance.yaml': 'name: x\nversion: 1.0.0\nextends: slipway-referense\n' })
    expect(await refusal()).toBe(
      `appliance.yaml:3: extends is "slipway-referense", and there is no product directory (no appliance.yaml in ${at('child', 'slipway-referense')}); it must be slipway-reference or the path of one; did you mean slipway-reference? Correct it, then run: slipway validate`,
    )
  })

  it('where it goes in a circle', async () => {
    await put('base', { 'appliance.yaml': 'extends: ../child\nname: x\nversion: 1.0.0\n' })
    expect(await refusal()).toBe(
      '../base/appliance.yaml:1: extends goes in a circle: . → ../base → . Correct it, then run: slipway validate',
    )
  })

  it('where the product has no name and version of its own', async () => {
    await put('child', { 'appliance.yaml': 'extends: ../base\nlayers+: [tools]\n' })
    expect(await refusal()).toBe(`2 mistakes in the definition:
  appliance.yaml:1: name is missing; a product that extends another has a name of its own.
  appliance.yaml:1: version is missing; a product that extends another has a version of its own.
Correct them, then run: slipway validate`)
  })

  it('where it is no text', async () => {
    await put('child', { 'appliance.yaml': 'extends: 7\nname: x\nversion: 1.0.0\n' })
    expect(await refusal()).toContain(
      'appliance.yaml:1: extends is 7; it must be slipway-reference, or the path of a product directory',
    )
  })

  it('never for the child where the mistake is the parent’s: the file is named', async () => {
    await put('base', { 'images/web/component.yaml': '# a remark\nports: [eighty]\n' })
    expect(await refusal()).toContain('../base/images/web/component.yaml:2: ports[0] is "eighty"')
  })

  it('by its own place in the product, also where parents lie in each other', async () => {
    await put('base/mid', { 'appliance.yaml': 'extends: ..\nname: mid\nversion: 1.0.0\n' })
    await put('base/mid/leaf', { 'appliance.yaml': 'extends: ..\nname: leaf\nversion: 1.0.0\n' })
    await put('base', { 'compose/appliance.yaml': 'services: { web: { image: tiny, cap_add: [X] } }\n' })
    await expect(loadDefinition(at('base', 'mid', 'leaf'))).rejects.toThrow(
      /^\.\.\/\.\.\/compose\/appliance\.yaml:1: .*; compose\/appliance\.yaml of this product is laid over it/,
    )
  })

  it('never for the parent where the mistake is the child’s, in a list added to, too', async () => {
    await put('child', { 'images/web/component.yaml': 'packages+:\n  - curl\n  - No Package\n' })
    expect(await refusal()).toContain('images/web/component.yaml:3: packages[2] is "No Package"')
    await put('child', { 'images/web/component.yaml': 'packages+: [curl]\n' })
    await put('child', { 'compose/appliance.yaml': 'services:\n  web:\n    mem_limit: lots\n  log:\n' })
    expect(await refusal()).toContain('compose/appliance.yaml:3: services.web.mem_limit is "lots"')
  })
})
