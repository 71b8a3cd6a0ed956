import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeStep } from '../../../src/host/describe-step.ts'
import { planHost } from '../../../src/host/plan.ts'
import {
  empties,
  keptSettings,
  planReset,
  type Reset,
  type ResetLevel,
  resetLevels,
  withSharers,
} from '../../../src/host/plan-reset.ts'
import type { HostState } from '../../../src/host/state.ts'
import { isIrreversible } from '../../../src/host/step.ts'
import type { HostTarget } from '../../../src/host/target.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget } from './sample.ts'

const wanted = sampleTarget()
const installed = reach(emptyHost, wanted)
const noSettings = { stored: {}, kept: {} }

function reach(state: HostState, target: HostTarget): HostState {
  return planHost(state, target).reduce(applyStep, state)
}

/** The target with the cache under a name that is free. */
function freshTarget(state: HostState): HostTarget {
  const taken = state.volumes.map(({ name }) => name)
  let number = 2
  while (taken.includes(`acme_cache.${number}`)) number++
  return sampleTarget({
    compose: composeText.replace('cache: {}', `cache: { name: acme_cache.${number} }`),
  })
}

/** The steps of a reset as the verb plans it, and the target it aims at. */
function plan(state: HostState, level: ResetLevel, services: readonly string[]) {
  const emptied =
    services.includes('optimiser') && ['cache', 'settings', 'factory'].includes(level) ? ['cache'] : []
  const target = emptied.length > 0 ? freshTarget(state) : aim(state)
  const reset: Reset = { level, services: withSharers(target, services, emptied), emptied }
  return { target, steps: planReset(state, target, reset, noSettings) }
}

/** The target with the volume that is in use. */
function aim(state: HostState): HostTarget {
  const name = state.containers.flatMap(({ volumes }) => volumes)[0] ?? 'acme_cache'
  if (name === 'acme_cache') return wanted
  return sampleTarget({ compose: composeText.replace('cache: {}', `cache: { name: ${name} }`) })
}

const words = (state: HostState, level: ResetLevel, services: readonly string[]): string[] =>
  plan(state, level, services).steps.map((step) => `${describeStep(step)}: ${step.reason}`)

describe('the plan of a reset', () => {
  it('restart stops and starts the same container', () => {
    expect(words(installed, 'restart', ['dns'])).toEqual([
      'stop container acme-dns-1: reset: restart',
      'start container acme-dns-1: reset: restart',
      'wait for acme-dns-1: reset: restart',
    ])
  })

  it('clean makes the replacement before it stops anything, and removes what served when that is healthy', () => {
    expect(words(installed, 'clean', ['optimiser'])).toEqual([
      'create container acme-optimiser-1.next: reset: clean',
      'stop container acme-optimiser-1: reset: clean',
      'start container acme-optimiser-1.next: reset: clean',
      'wait for acme-optimiser-1.next: reset: clean',
      'remove container acme-optimiser-1: reset: clean',
      'rename container acme-optimiser-1.next to acme-optimiser-1: it takes over the name',
    ])
  })

  it('clean takes up no container that was never started: a restore that was cut off has put files into it', () => {
    const dns = installed.containers.find(({ service }) => service === 'dns')!
    const begun = { ...dns, id: 'begun', name: 'acme-dns-1.next', status: 'created', health: 'none' } as const
    const state = { ...installed, containers: [...installed.containers, begun] }
    expect(words(state, 'clean', ['dns'])).toEqual([
      'create container acme-dns-1.next2: reset: clean',
      'stop container acme-dns-1: reset: clean',
      'start container acme-dns-1.next2: reset: clean',
      'wait for acme-dns-1.next2: reset: clean',
      'remove container acme-dns-1: reset: clean',
      'remove container acme-dns-1.next: reset: clean',
      'rename container acme-dns-1.next2 to acme-dns-1: it takes over the name',
    ])
  })

  it('cache gives the service a new volume and removes the old one last', () => {
    expect(words(installed, 'cache', ['optimiser'])).toEqual([
      'create volume acme_cache.2: reset: cache',
      'create container acme-optimiser-1.next: reset: cache',
      'stop container acme-optimiser-1: reset: cache',
      'start container acme-optimiser-1.next: reset: cache',
      'wait for acme-optimiser-1.next: reset: cache',
      'remove container acme-optimiser-1: reset: cache',
      'rename container acme-optimiser-1.next to acme-optimiser-1: it takes over the name',
      'remove volume acme_cache: emptied',
    ])
  })

  it('settings forgets what is stored once the new containers are healthy', () => {
    const reset: Reset = { level: 'settings', services: ['dns'], emptied: [] }
    const steps = planReset(installed, wanted, reset, { stored: { 'dns.memory': '1g' }, kept: {} })
    expect(steps.map(({ action }) => action)).toEqual([
      'create-container',
      'stop-container',
      'start-container',
      'wait-healthy',
      'store-setting',
      'remove-container',
      'rename-container',
    ])
  })

  it('is refused where a container of others mounts a volume that would go', () => {
    const volumes = installed.volumes.map((one) => ({ ...one, key: 'cache', guests: ['dump'] }))
    const visited = { ...installed, volumes }
    expect(() => plan(visited, 'cache', ['optimiser'])).toThrow(
      'The container dump is not of the appliance acme and mounts its volume acme_cache, which is to go;',
    )
    expect(words(visited, 'clean', ['optimiser'])).toEqual(words(installed, 'clean', ['optimiser']))
  })

  it('takes along a service that mounts an emptied volume too', () => {
    expect(withSharers(wanted, ['dns'], ['cache'])).toEqual(['dns', 'optimiser'])
  })
})

describe('what a level deletes', () => {
  it('grows from level to level, and a licence goes with factory only where it is named', () => {
    const volumes = (['cache', 'settings', 'state', 'licence', undefined] as const).map((holds) =>
      holds === undefined ? {} : { holds },
    )
    const gone = (level: ResetLevel, licence = false): string[] =>
      volumes
        .filter((one) => empties(level, one, licence))
        .map((one) => ('holds' in one ? one.holds : 'unknown'))
    expect(resetLevels.map((level) => gone(level))).toEqual([
      [],
      [],
      ['cache'],
      ['cache', 'settings'],
      ['cache', 'settings', 'state', 'unknown'],
    ])
    expect(gone('factory', true)).toEqual(['cache', 'settings', 'state', 'licence', 'unknown'])
    expect(gone('settings', true)).toEqual(['cache', 'settings'])
  })

  it('keeps the settings of other services and of the whole where one service is reset', () => {
    const stored = { allowedNetworks: '10.0.0.0/8', 'dns.port': '1053', 'optimiser.memory': '1g' }
    expect(keptSettings(stored, 'cache', ['dns'], false)).toBe(stored)
    expect(keptSettings(stored, 'settings', ['dns'], false)).toEqual({
      allowedNetworks: '10.0.0.0/8',
      'optimiser.memory': '1g',
    })
    expect(keptSettings(stored, 'settings', ['dns', 'optimiser'], false)).toEqual({
      allowedNetworks: '10.0.0.0/8',
    })
    expect(keptSettings(stored, 'settings', ['dns', 'optimiser'], true)).toEqual({})
  })
})

/** Any level of one service or both, begun up to twice and cut off, then done. */
const runs = fc.record({
  level: fc.constantFrom(...resetLevels),
  services: fc.constantFrom<string[]>(['dns'], ['optimiser'], ['dns', 'optimiser']),
  cuts: fc.array(fc.nat(14), { maxLength: 2 }),
})

describe('a reset', () => {
  it('cut off after any step and run again leaves the target, fresh containers and no former volume', () => {
    fc.assert(
      fc.property(runs, ({ level, services, cuts }) => {
        let state = installed
        for (const cut of cuts)
          state = plan(state, level, services).steps.slice(0, cut).reduce(applyStep, state)
        // What is left is as `slipway status` would see it: unwell where a run was cut off.
        const { target, steps } = plan(state, level, services)
        const after = steps.reduce(applyStep, state)
        const mine = after.containers.filter((one) => services.includes(one.service))
        expect(mine.map(({ status, health }) => ({ status, health }))).toEqual(
          services.map(() => ({ status: 'running', health: 'healthy' })),
        )
        expect(planHost({ ...after, containers: mine }, only(target, services))).toEqual([])
        if (steps.some(({ action }) => action === 'create-volume')) expect(after.volumes).toHaveLength(1)
      }),
      { numRuns: 200 },
    )
  })

  it('removes nothing before every replacement is healthy', () => {
    fc.assert(
      fc.property(runs, ({ level, services }) => {
        const { steps } = plan(installed, level, services)
        const firstRemoval = steps.findIndex(isIrreversible)
        const lastWait = steps.findLastIndex(({ action }) => action === 'wait-healthy')
        expect(firstRemoval === -1 || firstRemoval > lastWait).toBe(true)
      }),
    )
  })

  it('of one service leaves a network as it is that others are on, also where the Compose file says otherwise now', () => {
    const changes = [
      `${composeText}networks:\n  default: { internal: true }\n`,
      `${composeText.replaceAll('    image:', '    networks: [other]\n    image:')}networks:\n  other: {}\n`,
    ]
    for (const compose of changes) {
      const target = sampleTarget({ compose })
      const steps = planReset(
        installed,
        target,
        { level: 'clean', services: ['dns'], emptied: [] },
        noSettings,
      )
      const done = steps.reduce(applyStep, installed)
      expect(done.containers.find(({ service }) => service === 'optimiser')).toEqual(
        installed.containers.find(({ service }) => service === 'optimiser'),
      )
      const installedAnew = reach(done, target)
      expect(planHost(installedAnew, target)).toEqual([])
    }
  })

  it('of one service touches no other', () => {
    fc.assert(
      fc.property(fc.constantFrom(...resetLevels), fc.constantFrom('dns', 'optimiser'), (level, service) => {
        const { steps } = plan(installed, level, [service])
        const touched = steps.flatMap((step) => ('service' in step ? [step.service] : []))
        expect([...new Set(touched)]).toEqual([service])
      }),
    )
  })
})

function only(target: HostTarget, services: readonly string[]): HostTarget {
  return { ...target, containers: target.containers.filter(({ service }) => services.includes(service)) }
}
