import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { builtImage } from '../support/built-image.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { slipway } from '../support/slipway.ts'
import { readTypedDoc, type TypedStep } from '../support/typed-doc.ts'

let scratch: Scratch
let folder: string
let engine: Engine
let sections: ReadonlyMap<string, readonly TypedStep[]>

beforeAll(async () => {
  scratch = await makeScratch('partners')
  folder = scratch.path
  engine = await connectEngine()
  sections = await readTypedDoc('partners.md')
})
afterAll(() => scratch.remove())

const type = (words: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  slipway(words, { cwd: folder, env: { SLIPWAY_CACHE: builtImage().cacheDirectory, ...env } })

/** Does what a section says, and returns what each command printed. */
async function follow(heading: string): Promise<string[]> {
  const printed: string[] = []
  for (const step of sections.get(heading) ?? []) {
    if (step.type === 'file') {
      const file = path.join(folder, ...step.file.split('/'))
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, step.text)
    } else if (step.type === 'command' && step.words[0] === 'cd') {
      folder = path.join(folder, step.words[1]!)
    } else if (step.type === 'command') {
      expect(step.words[0]).toBe('slipway')
      const { exitCode, stdout, stderr } = await type(step.words.slice(1), step.env)
      expect([step.words.join(' '), exitCode, exitCode === 0 ? '' : stderr]).toEqual([
        step.words.join(' '),
        0,
        '',
      ])
      printed.push(stdout)
    }
  }
  return printed
}

const image = (layout: string) => readLayout(path.join(folder, layout), 'linux/amd64')

describe('docs/partners.md, typed', () => {
  it('begins with a product directory that is right', async () => {
    const printed = await follow('Begin')
    expect(printed.at(-1)).toBe(
      'acme-wan 1.0.0 is valid: 6 components (base, libraries, dns, optimiser, tools, brand), profiles branch, campus, datacentre, shop.',
    )
  })

  it('builds it, under the brand that it was given', async () => {
    await follow('Build')
    const labels = (await image('build')).labels
    expect({
      title: labels['org.opencontainers.image.title'],
      vendor: labels['org.opencontainers.image.vendor'],
      help: labels['org.opencontainers.image.authors'],
    }).toEqual({ title: 'Acme WAN', vendor: 'Acme Networks', help: 'help@acme.example' })
  })

  it('says who set a value', async () => {
    const [vendor, ...others] = await follow('Who says so?')
    const told = sections.get('Who says so?')!.find((step) => step.type === 'output')!
    expect(vendor!.replace(/(slipway-reference\/appliance.yaml:)\d+/, '$1LINE')).toBe(told.text.trimEnd())
    for (const output of others) expect(output).toContain('slipway-reference/')
  })

  it('changes what differs: a package, a file, a limit', async () => {
    const printed = await follow('What differs, and where to say it')
    expect(printed.at(-2)).toContain('compose/appliance.yaml:3 sets it')
    expect(printed.at(-1)).toContain('optimiser')
  })

  it('puts another brand on the built image, and touches no other layer', async () => {
    await follow('Your brand')
    const [own, other] = [await image('build'), await image('zeta')]
    const digests = ({ layers }: typeof own) => layers.map(({ digest }) => digest)
    expect(digests(other).slice(0, -1)).toEqual(digests(own).slice(0, -1))
    expect(digests(other).at(-1)).not.toBe(digests(own).at(-1))
  })

  it('is asked before it takes another reference', async () => {
    const [diff] = await follow('The next release of the reference')
    expect(diff).toMatch(
      /^slipway-reference \S+ is as it was when appliance.lock was made\.\nNo package changes\.$/,
    )
  })
})

describe('under a partner’s name', () => {
  const branded = async (...words: string[]) => {
    const env = { SLIPWAY_COMMAND: 'acme-wan', SLIPWAY_PRODUCT: folder }
    const { stdout, stderr, exitCode } = await type(words, env)
    return { exitCode, text: `${stdout}\n${stderr}` }
  }
  /** Lines that say another name than the partner's; labels, variables and paths inside the appliance are the protocol. */
  const protocol = /io\.slipway\.|SLIPWAY_[A-Z]+|\/(?:usr\/share|var\/lib)\/slipway/g
  const foreign = (text: string): string[] =>
    text
      .replaceAll(scratch.path, '')
      .replaceAll(protocol, '')
      .split('\n')
      .filter((line) => /slipway/i.test(line))

  const name = `pa-branded-${process.pid}`
  const ports = ['--set', 'dns.port=25053', '--set', 'optimiser.port=25128']
  const site = ['--profile', 'shop', '--name', name, ...ports]
  it.each<[string, string[], number]>([
    ['help', ['--help'], 0],
    ['a verb’s help', ['install', '--help'], 0],
    ['a mistyped verb', ['statsu'], 2],
    ['a plan', ['plan', ...site], 0],
    ['an install that only looks', ['install', '--dry-run', ...site], 0],
    ['an install without a profile', ['install', '--name', name], 2],
    ['the status of nothing', ['status', '--name', name], 1],
    ['a drift of nothing', ['drift', '--name', name], 2],
    ['a backup of nothing', ['backup', 'x', '--name', name], 2],
    ['a bad name', ['status', '--name', 'A B'], 2],
    ['a completion', ['completion', 'bash'], 0],
  ])('%s says no other', async (_, words, code) => {
    const { exitCode, text } = await branded(...words)
    expect({ exitCode, foreign: foreign(text) }).toEqual({ exitCode: code, foreign: [] })
  })

  it('an install greets with whose it is, says whom to ask, and what it leaves bears the name', async () => {
    await type(['uninstall', '--yes', '--name', name])
    const { exitCode, text } = await branded('install', ...site)
    try {
      const lines = text.trim().split('\n')
      expect([exitCode, lines[0], foreign(text)]).toEqual([0, 'Acme WAN 1.0.0, by Acme Networks', []])
      expect(text).toContain('Help: help@acme.example')
      const status = await branded('status', '--name', name)
      expect([status.exitCode, foreign(status.text)]).toEqual([0, []])
    } finally {
      const { exitCode: removed } = await branded('uninstall', '--yes', '--name', name)
      expect(removed).toBe(0)
      await engine.images.remove('acme-wan:1.0.0')
    }
  })
})
