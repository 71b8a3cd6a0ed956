import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCompose } from '../../../src/definition/compose-parse.ts'
import type { BackupHeader } from '../../../src/host/backup/format.ts'
import { volumesInUse } from '../../../src/host/backup/plan-backup.ts'
import { planRestore } from '../../../src/host/backup/plan-restore.ts'
import { withVolumeNames } from '../../../src/host/backup/volume-names.ts'
import { planHost } from '../../../src/host/plan.ts'
import { planMemoryChange } from '../../../src/host/plan-memory.ts'
import { atLeast, keptSettings, planReset, resetLevels, withSharers } from '../../../src/host/plan-reset.ts'
import type { HostState } from '../../../src/host/state.ts'
import type { Step } from '../../../src/host/step.ts'
import type { Settings } from '../../../src/host/stored-settings.ts'
import { emptyTarget, type HostTarget, targetHost } from '../../../src/host/target.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost } from './sample.ts'

/** A host with what its volumes hold and what is remembered. */
interface World {
  readonly host: HostState
  readonly content: Readonly<Record<string, string>>
  readonly settings: Settings
}

type Verb =
  | { readonly verb: 'install'; readonly release: string }
  | { readonly verb: 'memory'; readonly megabytes: number }
  | { readonly verb: 'reset'; readonly level: (typeof resetLevels)[number]; readonly services: string[] }
  | { readonly verb: 'restore' }
  | { readonly verb: 'uninstall --keep-data' }

const release = fc.constantFrom('1.0.0', '2.0.0')
const anyVerb: fc.Arbitrary<Verb> = fc.oneof(
  fc.record({ verb: fc.constant('install' as const), release }),
  fc.record({ verb: fc.constant('memory' as const), megabytes: fc.constantFrom(64, 96, 128) }),
  fc.record({
    verb: fc.constant('reset' as const),
    level: fc.constantFrom(...resetLevels),
    services: fc.constantFrom<string[]>(['dns'], ['optimiser'], ['dns', 'optimiser']),
  }),
  fc.record({ verb: fc.constant('restore' as const) }),
  fc.record({ verb: fc.constant('uninstall --keep-data' as const) }),
)

const header: BackupHeader = {
  kind: 'slipway-backup',
  format: 1,
  name: 'acme',
  product: 'acme',
  release: '1.0.0',
  images: ['sha256:1.0.0'],
  profile: 'branch',
  settings: {},
  created: '2026-01-02T03:04:05.000Z',
  archives: [{ type: 'volume', of: 'cache', holds: 'cache' }],
}

/** What the product wants on this host: volumes as they are called there, those of `fresh` anew. */
function targetOn(
  { host, settings }: World,
  version: string,
  fresh: readonly string[] = [],
  kept = settings,
): HostTarget {
  const text = composeText
    .replace(
      'mem_limit: 64m',
      `mem_limit: ${kept['optimiser.memory'] ?? '64m'}\n    x-slipway: { reload: [r] }`,
    )
    .replace('cache: {}', 'cache: { x-slipway: { holds: cache } }')
  const compose = withVolumeNames(parseCompose(text, {}), host, fresh)
  const definition = { name: 'acme', version, composeFile: '/product/compose/appliance.yaml' }
  const image = { reference: `acme:${version}`, ids: [`sha256:${version}`], size: 1000 }
  return targetHost(definition, compose, image, 'acme', 'branch')
}

/** The release that is there, where there is one and no other beside it. */
function releaseOf({ host }: World): string | undefined {
  const releases = new Set(host.containers.map((one) => one.release))
  return releases.size === 1 ? [...releases][0] : undefined
}

/** The steps of a verb as the command plans them; none where it would refuse. */
function plan(world: World, verb: Verb): Step[] {
  const { host, settings } = world
  const present = releaseOf(world)
  switch (verb.verb) {
    case 'install':
      return planHost(host, targetOn(world, verb.release))
    case 'memory': {
      if (!host.containers.some(({ service }) => service === 'optimiser')) return []
      const memory = verb.megabytes * 2 ** 20
      return planMemoryChange(host, settings, { service: 'optimiser', memory, force: false })
    }
    case 'reset': {
      if (present === undefined) return []
      const { level } = verb
      const emptied = atLeast(level, 'cache') && verb.services.includes('optimiser') ? ['cache'] : []
      const kept = keptSettings(settings, level, verb.services, false)
      const target = targetOn(world, present, emptied, kept)
      const services = withSharers(target, verb.services, emptied)
      return planReset(host, target, { level, services, emptied }, { stored: settings, kept })
    }
    case 'restore':
      return planRestore(host, targetOn(world, '1.0.0', ['cache']), header)
    case 'uninstall --keep-data':
      return planHost(host, emptyTarget('acme', true))
  }
}

function apply(world: World, steps: readonly Step[]): World {
  let { host, content, settings } = world
  for (const step of steps) {
    host = applyStep(host, step)
    if (step.action === 'create-volume') content = { ...content, [step.volume.name]: '' }
    if (step.action === 'fill-volume') content = { ...content, [step.volume]: 'backed up' }
    if (step.action === 'store-setting') {
      const { [step.key]: _, ...others } = settings
      settings = step.value === undefined ? others : { ...others, [step.key]: step.value }
    }
  }
  return { host, content, settings }
}

/** The verb, killed after `cut` of its steps. */
function begin(world: World, verb: Verb, cut: number): World {
  return apply(world, plan(world, verb).slice(0, cut))
}

function held({ host, content }: World): string | undefined {
  const volume = volumesInUse(host).find(({ key }) => key === 'cache')
  return volume && content[volume.name]
}

/** Installed, in use, with another memory limit or without. */
const installed = fc
  .record({ release, megabytes: fc.constantFrom(undefined, 64, 128) })
  .map(({ release, megabytes }): World => {
    const nothing = { host: emptyHost, content: {}, settings: {} }
    const fresh = apply(nothing, plan(nothing, { verb: 'install', release }))
    const changed = megabytes ? apply(fresh, plan(fresh, { verb: 'memory', megabytes })) : fresh
    return { ...changed, content: { acme_cache: 'used' } }
  })

/** What the cache holds when the verb is done. */
function promised(verb: Verb): string {
  if (verb.verb === 'restore') return 'backed up'
  return verb.verb === 'reset' && atLeast(verb.level, 'cache') && verb.services.includes('optimiser')
    ? ''
    : 'used'
}

describe('a verb on a model host', () => {
  it('killed after any of its steps, once or twice, does as it promises when it is typed again', () => {
    fc.assert(
      fc.property(installed, anyVerb, fc.array(fc.nat(20), { maxLength: 2 }), (before, verb, cuts) => {
        const cutOff = cuts.reduce((world, cut) => begin(world, verb, cut), before)
        // A reset or a restore of one release beside another is refused, and cannot be cut off so.
        const done = apply(cutOff, plan(cutOff, verb))
        expect(held(done)).toBe(promised(verb))
        expect(done.host.volumes.filter(({ key }) => key === 'cache')).toHaveLength(1)
        if (verb.verb === 'uninstall --keep-data') {
          expect([done.host.containers, done.host.networks]).toEqual([[], []])
          return
        }
        const to =
          verb.verb === 'install' ? verb.release : verb.verb === 'restore' ? '1.0.0' : releaseOf(done)!
        expect(planHost(done.host, targetOn(done, to))).toEqual([])
        expect(done.host.containers.map(({ name, status }) => [name, status]).sort()).toEqual([
          ['acme-dns-1', 'running'],
          ['acme-optimiser-1', 'running'],
        ])
        if (verb.verb === 'memory')
          expect(done.settings).toEqual({ 'optimiser.memory': `${verb.megabytes}m` })
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it('after any life, each of its verbs killed somewhere, an install reaches its target and keeps what is held', () => {
    const life = fc.array(fc.record({ verb: anyVerb, cut: fc.nat(25) }), { maxLength: 4 })
    fc.assert(
      fc.property(installed, life, release, (before, verbs, to) => {
        const after = verbs.reduce((world, { verb, cut }) => begin(world, verb, cut), before)
        const done = apply(after, plan(after, { verb: 'install', release: to }))
        expect(planHost(done.host, targetOn(done, to))).toEqual([])
        expect(held(done)).toBe(held(after) ?? '')
        expect(done.host.containers.map(({ release }) => release)).toEqual([to, to])
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})
