import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planHost } from '../../../src/host/plan.ts'
import type { ContainerStatus, HostState } from '../../../src/host/state.ts'
import { isIrreversible } from '../../../src/host/step.ts'
import { emptyTarget, type HostTarget } from '../../../src/host/target.ts'
import { applyStep } from './model-host.ts'
import { emptyHost, sampleTarget } from './sample.ts'

/** Compose files with any of three services, each with or without health check, volume and need of the one before. */
const compose = fc
  .record({
    services: fc.uniqueArray(fc.constantFrom('dns', 'optimiser', 'relay'), { minLength: 1 }),
    healthy: fc.boolean(),
    volume: fc.boolean(),
    memory: fc.constantFrom(undefined, 64, 128),
    reload: fc.boolean(),
    chain: fc.boolean(),
    internal: fc.boolean(),
    swapPorts: fc.boolean(),
  })
  .map(({ services, healthy, volume, memory, reload, chain, internal, swapPorts }) => {
    const ports = swapPorts ? [3, 2, 1] : [1, 2, 3]
    const text = services.map((name, index) => {
      const before = services[index - 1]
      return [
        `  ${name}:`,
        '    image: acme:1.0.0',
        memory ? `    mem_limit: ${memory}m` : '',
        reload ? '    x-slipway: { reload: [reload] }' : '',
        `    ports: ["${ports[index]}:53/udp"]`,
        volume ? `    volumes: ["cache:/var/cache"]` : '',
        healthy ? '    healthcheck: { test: [CMD, "true"] }' : '',
        chain && before
          ? `    depends_on: { ${before}: { condition: ${healthy ? 'service_healthy' : 'service_started'} } }`
          : '',
      ]
    })
    const networks = `networks:\n  default: { internal: ${internal} }`
    const volumes = volume ? 'volumes:\n  cache: {}' : ''
    return ['services:', ...text.flat(), networks, volumes].filter((line) => line !== '').join('\n')
  })

const target = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({ version: fc.constantFrom('1.0.0', '2.0.0'), compose, image: fc.constantFrom('a', 'b') })
      .map(sampleTarget),
  },
  { weight: 1, arbitrary: fc.boolean().map((keepData) => emptyTarget('acme', keepData)) },
)

/** A host on the way to some target, interrupted after any step, then damaged. */
const host = fc
  .record({
    targets: fc.array(target, { maxLength: 3 }),
    cut: fc.nat(30),
    damage: fc.array(fc.nat(7), { maxLength: 3 }),
  })
  .map(({ targets, cut, damage }) => {
    const before = targets.slice(0, -1).reduce(reach, emptyHost)
    const last = targets.at(-1)
    const cutOff = last ? planHost(before, last).slice(0, cut).reduce(applyStep, before) : before
    return damage.reduce(spoil, cutOff)
  })

function reach(state: HostState, wanted: HostTarget): HostState {
  return planHost(state, wanted).reduce(applyStep, state)
}

/** What happens to a host behind its appliance's back. */
function spoil(state: HostState, kind: number): HostState {
  const [first, ...rest] = state.containers
  const status: ContainerStatus[] = ['exited', 'restarting', 'paused', 'dead']
  if (kind < 4 && first) return { ...state, containers: [{ ...first, status: status[kind]! }, ...rest] }
  if (kind === 4) return { ...state, containers: rest }
  if (kind === 5 && first?.health === 'healthy') {
    return { ...state, containers: [{ ...first, health: 'unhealthy' }, ...rest] }
  }
  if (kind === 6 && first) return { ...state, containers: [{ ...first, networks: {} }, ...rest] }
  if (kind === 7) return { ...state, images: [] }
  return state
}

describe('a plan', () => {
  it('applied to any host reaches the target, and the next plan is empty', () => {
    fc.assert(
      fc.property(host, target, (state, wanted) => {
        const after = reach(state, wanted)
        expect(planHost(after, wanted)).toEqual([])
        const serving = after.containers.map(({ name, hash, status, limit }) => ({
          name,
          hash,
          status,
          limit,
        }))
        const expected = wanted.containers.map(({ name, hash, limit }) => ({
          name,
          hash,
          status: 'running',
          limit,
        }))
        expect(new Set(serving)).toEqual(new Set(expected))
      }),
      { numRuns: 300 },
    )
  })

  it('cut off after any step and made anew still reaches the target', () => {
    fc.assert(
      fc.property(host, target, fc.nat(40), (state, wanted, cut) => {
        const cutOff = planHost(state, wanted).slice(0, cut).reduce(applyStep, state)
        expect(planHost(reach(cutOff, wanted), wanted)).toEqual([])
      }),
      { numRuns: 300 },
    )
  })

  it('removes nothing that served before every new container is healthy, unless a network must change', () => {
    fc.assert(
      fc.property(host, target, (state, wanted) => {
        const steps = planHost(state, wanted)
        if (steps.some((step) => step.action === 'create-network')) return
        const firstRemoval = steps.findIndex(isIrreversible)
        const lastWait = steps.findLastIndex((step) => step.action === 'wait-healthy')
        expect(firstRemoval === -1 || firstRemoval > lastWait).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  it('never removes a volume unless the target says so', () => {
    fc.assert(
      fc.property(host, target, (state, wanted) => {
        if (wanted.otherVolumes === 'remove') return
        expect(planHost(state, wanted).filter((step) => step.action === 'remove-volume')).toEqual([])
      }),
    )
  })

  it('is the same whatever order the Engine lists things in', () => {
    fc.assert(
      fc.property(host, target, (state, wanted) => {
        const shuffled = {
          ...state,
          networks: [...state.networks].reverse(),
          volumes: [...state.volumes].reverse(),
        }
        const sorted = (steps: readonly object[]): string[] =>
          steps.map((step) => JSON.stringify(step)).sort()
        expect(sorted(planHost(shuffled, wanted))).toEqual(sorted(planHost(state, wanted)))
      }),
    )
  })
})
