import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeStep } from '../../../src/host/describe-step.ts'
import { planHost } from '../../../src/host/plan.ts'
import { type WantedState, withStateSteps } from '../../../src/host/plan-state.ts'
import type { HostState } from '../../../src/host/state.ts'
import {
  emptyState,
  type StateDocument,
  withDueReload,
  withRelease,
  withStoredSetting,
} from '../../../src/host/state-document.ts'
import { emptyTarget } from '../../../src/host/target.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget } from './sample.ts'

interface Remembering {
  readonly host: HostState
  readonly stored: StateDocument
  /** Container → the memory limit that its service read at its start or was told since. */
  readonly told: Readonly<Record<string, number | undefined>>
}

interface Wanted extends WantedState {
  readonly memory?: string
}

const settings = fc.dictionary(
  fc.constantFrom('dns.port', 'dns.cache', 'upstreamDns'),
  fc.constantFrom('1', '2'),
)
const wanted = fc.record({
  settings,
  memory: fc.constantFrom('64m', '128m'),
  release: fc.record({
    release: fc.constantFrom('1.0.0', '2.0.0'),
    image: fc.constantFrom('sha256:a', 'sha256:b'),
    profile: fc.constantFrom('branch', 'campus'),
  }),
})

function plan({ host, stored }: Remembering, state: Wanted) {
  const { release, image } = state.release
  const limits = `mem_limit: ${state.memory ?? '64m'}\n    x-slipway: { reload: [/bin/reload] }`
  const compose = composeText.replace('mem_limit: 64m', limits)
  const target = sampleTarget({ version: release, image: image.slice('sha256:'.length), compose })
  return withStateSteps(planHost(host, target), host, stored, state)
}

function apply(before: Remembering, steps: ReturnType<typeof plan>): Remembering {
  return steps.reduce((now, step): Remembering => {
    const next = { host: applyStep(now.host, step), stored: now.stored, told: now.told }
    const one = next.host.containers.find(({ name }) => 'service' in step && name === step.name)
    if (step.action === 'set-memory' && step.notedIn !== undefined)
      return { ...next, stored: withDueReload(now.stored, step.service, one!.id) }
    if (step.action === 'start-container' || step.action === 'reload-service') {
      const stored = withDueReload(now.stored, step.service, undefined)
      const told = { ...now.told, [one!.id]: one!.limit?.memory }
      return { ...next, told, stored: step.action === 'reload-service' ? stored : now.stored }
    }
    if (step.action === 'store-setting') {
      return { ...next, stored: withStoredSetting(now.stored, step.key, step.value) }
    }
    if (step.action === 'record-release') {
      return { ...next, stored: withRelease(now.stored, { at: 'now', ...step.record }) }
    }
    return next
  }, before)
}

const nothing: Remembering = { host: emptyHost, stored: emptyState, told: {} }
const branch = { release: '1.0.0', image: 'sha256:a', profile: 'branch' }

describe('an install that remembers', () => {
  it('stores settings and release once everything serves', () => {
    const steps = plan(nothing, { settings: { 'dns.port': '1053' }, release: branch })
    expect(steps.slice(-5).map(describeStep)).toEqual([
      'start container acme-optimiser-1',
      'create volume acme_state',
      'wait for acme-optimiser-1',
      'remember dns.port=1053',
      'record release 1.0.0',
    ])
  })

  it('stores them before anything former goes', () => {
    const installed = apply(nothing, plan(nothing, { settings: {}, release: branch }))
    const next = { ...branch, release: '2.0.0', image: 'sha256:b' }
    const actions = plan(installed, { settings: {}, release: next }).map(({ action }) => action)
    expect(actions.indexOf('record-release')).toBeGreaterThan(actions.lastIndexOf('wait-healthy'))
    expect(actions.indexOf('record-release')).toBeLessThan(actions.indexOf('remove-container'))
  })

  it('reaches what is wanted from anything stored, cut off anywhere, and then plans nothing', () => {
    fc.assert(
      fc.property(fc.array(wanted, { maxLength: 2 }), wanted, fc.nat(25), (former, state, cut) => {
        const before = former.reduce((now, one) => apply(now, plan(now, one)), nothing)
        const cutOff = apply(before, plan(before, state).slice(0, cut))
        const after = apply(cutOff, plan(cutOff, state))
        expect(after.stored.settings).toEqual(state.settings)
        expect(after.stored.history.at(-1)).toEqual({ at: 'now', ...state.release })
        expect(plan(after, state)).toEqual([])
        for (const { id, limit } of after.host.containers) expect(after.told[id]).toBe(limit?.memory)
      }),
      { numRuns: 200 },
    )
  })

  it('an install cut off before a service was told of its memory tells it the next time, and once', () => {
    const installed = apply(nothing, plan(nothing, { settings: {}, release: branch }))
    const more = { settings: {}, release: branch, memory: '128m' }
    const steps = plan(installed, more)
    expect(steps.map(({ action }) => action)).toEqual(['set-memory', 'reload-service', 'record-release'])
    const cutOff = apply(installed, steps.slice(0, 1))
    expect(plan(cutOff, more).map((step) => `${describeStep(step)}: ${step.reason}`)).toEqual([
      'reload acme-optimiser-1: it was not told yet that its memory changed',
      'record release 1.0.0: release 1.0.0 with the profile branch',
    ])
    expect(plan(apply(cutOff, plan(cutOff, more)), more)).toEqual([])
    const replaced = {
      ...cutOff.host,
      containers: cutOff.host.containers.map((one) => ({ ...one, id: 'new' })),
    }
    expect(plan({ ...cutOff, host: replaced }, more)).toEqual([])
  })

  it('goes with its container and volume in an uninstall, and only with its container where data stays', () => {
    const { host } = apply(nothing, plan(nothing, { settings: {}, release: branch }))
    const last = (keepData: boolean) =>
      planHost(host, emptyTarget('acme', keepData)).slice(-3).map(describeStep)
    expect(last(false)).toEqual([
      'remove container acme-state',
      'remove volume acme_cache',
      'remove volume acme_state',
    ])
    expect(last(true)).toEqual([
      'remove container acme-optimiser-1',
      'remove network acme_default',
      'remove container acme-state',
    ])
  })
})

describe('a reload that a run left due', () => {
  it('is of the name that its container has by then', () => {
    const compose = composeText.replace(
      '    mem_limit: 64m',
      '    mem_limit: 64m\n    x-slipway: { reload: [r] }',
    )
    const target = sampleTarget({ compose })
    const installed = planHost(emptyHost, target).reduce(applyStep, emptyHost)
    const containers = installed.containers.map((one) =>
      one.service === 'optimiser' ? { ...one, name: 'acme-optimiser-1.next' } : one,
    )
    const host = { ...installed, containers }
    const stored = withDueReload(
      emptyState,
      'optimiser',
      containers.find(({ service }) => service === 'optimiser')!.id,
    )
    const release = { release: '1.0.0', image: 'sha256:a', profile: 'branch' }
    const steps = withStateSteps(planHost(host, target), host, stored, { settings: {}, release })
    expect(steps.map(({ action }) => action)).toContain('reload-service')
    expect(() => steps.reduce(applyStep, host)).not.toThrow()
  })
})

describe('names that Slipway keeps for itself', () => {
  it('are refused where a stranger has them', () => {
    const foreign = { ...emptyHost.foreign, containers: ['acme-mutex'], volumes: ['acme_state'] }
    expect(() => planHost({ ...emptyHost, foreign }, sampleTarget())).toThrow(
      'the container acme-mutex, the volume acme_state exist on this host and are not of the appliance acme; remove or rename them, or choose another --name.',
    )
  })

  it('are refused in the Compose file', () => {
    const compose = composeText.replaceAll('cache:', 'state:')
    expect(() => planHost(emptyHost, sampleTarget({ compose }))).toThrow(
      "The Compose file's volume acme_state has the name of the one in which Slipway keeps settings and history; give it another key or name.",
    )
  })
})
