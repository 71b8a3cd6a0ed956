import { describe, expect, it } from 'vitest'
import { describePlan } from '../../../src/host/describe-plan.ts'
import { planHost } from '../../../src/host/plan.ts'
import { headroom } from '../../../src/host/set-memory.ts'
import type { HostState } from '../../../src/host/state.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget } from './sample.ts'

const reloading = composeText.replace(
  '    mem_limit: 64m',
  '    mem_limit: 64m\n    x-slipway: { reload: [/bin/reload] }',
)
const withMemory = (size: string) =>
  sampleTarget({ compose: reloading.replace('mem_limit: 64m', `mem_limit: ${size}`) })
const installed = planHost(emptyHost, withMemory('64m')).reduce(applyStep, emptyHost)
const MiB = 2 ** 20

function withContainer(change: Partial<HostState['containers'][number]>): HostState {
  return {
    ...installed,
    containers: installed.containers.map((one) =>
      one.service === 'optimiser' ? { ...one, ...change } : one,
    ),
  }
}

describe('a changed memory limit', () => {
  it('is set in place, memory and swap together, and the service told: no container is replaced', () => {
    const steps = planHost(installed, withMemory('128m'))
    expect(steps).toEqual([
      {
        action: 'set-memory',
        service: 'optimiser',
        name: 'acme-optimiser-1',
        limit: { memory: 128 * MiB, swap: 256 * MiB },
        previous: { memory: 64 * MiB, swap: 128 * MiB },
        force: false,
        notedIn: 'acme',
        reason: '64 MiB → 128 MiB',
      },
      {
        action: 'reload-service',
        service: 'optimiser',
        name: 'acme-optimiser-1',
        command: ['/bin/reload'],
        notedIn: 'acme',
        reason: 'its memory changes',
      },
    ])
    expect(describePlan(steps)).toEqual([
      { sign: '~', what: 'memory of acme-optimiser-1', why: '64 MiB → 128 MiB' },
    ])
  })

  it('is one too where only what it may have beside memory differs', () => {
    const less = withContainer({ limit: { memory: 64 * MiB, swap: 64 * MiB } })
    expect(planHost(less, withMemory('64m'))).toMatchObject([
      {
        action: 'set-memory',
        limit: { memory: 64 * MiB, swap: 128 * MiB },
        reason: 'memory and swap together',
      },
      { action: 'reload-service' },
    ])
  })

  it('of a service that is started anyway is set before, and needs no reload', () => {
    const stopped = withContainer({ status: 'exited' })
    expect(planHost(stopped, withMemory('128m')).map(({ action }) => action)).toEqual([
      'set-memory',
      'start-container',
      'wait-healthy',
    ])
  })

  it('made behind its back is put right', () => {
    const doubled = withContainer({ limit: { memory: 128 * MiB, swap: 256 * MiB } })
    expect(planHost(doubled, withMemory('64m')).map(({ action }) => action)).toEqual([
      'set-memory',
      'reload-service',
    ])
  })

  it('is no change where the kernel counts no swap', () => {
    expect(planHost(withContainer({ limit: { memory: 64 * MiB, swap: -1 } }), withMemory('64m'))).toEqual([])
  })

  it('that goes needs another container: an Engine cannot take a limit away', () => {
    const unlimited = sampleTarget({ compose: reloading.replace('    mem_limit: 64m\n', '') })
    expect(planHost(installed, unlimited)[0]).toMatchObject({
      action: 'create-container',
      service: 'optimiser',
      reason: 'its memory limit goes',
    })
  })
})

describe('headroom', () => {
  it('is an eighth of what is in use, and at least 8 MiB', () => {
    expect([headroom(0), headroom(64 * MiB), headroom(800 * MiB)]).toEqual([8 * MiB, 8 * MiB, 100 * MiB])
  })
})
