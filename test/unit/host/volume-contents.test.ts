import { describe, expect, it } from 'vitest'
import { volumesToKeep } from '../../../src/host/backup/plan-backup.ts'
import { planHost } from '../../../src/host/plan.ts'
import type { HostContainer, HostVolume } from '../../../src/host/state.ts'
import { withContents } from '../../../src/host/volume-contents.ts'
import { applyStep } from './model-host.ts'
import { emptyHost, sampleTarget } from './sample.ts'

const installed = planHost(emptyHost, sampleTarget()).reduce(applyStep, emptyHost)
const optimiser = installed.containers.find(({ service }) => service === 'optimiser')!
const made: HostVolume = { name: 'acme_data', key: 'data', holds: 'cache', driver: 'local', options: {} }

function using(contents: Record<string, string> | undefined, status: HostContainer['status'] = 'running') {
  const { contents: _, ...one } = { ...optimiser, volumes: [made.name], status }
  return contents === undefined ? one : { ...one, contents }
}

const holds = (...containers: HostContainer[]) => withContents([made], containers)[0]!.holds

describe('what a volume holds', () => {
  it('is what the release says that mounts it, and not the one that made it', () => {
    expect(holds(using({ data: 'settings' }))).toBe('settings')
    expect(holds(using({}))).toBeUndefined()
  })

  it('is what its maker said where no container of a newer Slipway mounts it', () => {
    expect([holds(), holds(using(undefined))]).toEqual(['cache', 'cache'])
  })

  it('is what the running release says while another one is only made', () => {
    const [next, now] = [using({ data: 'settings' }, 'created'), using({ data: 'licence' })]
    expect([holds(next, now), holds(now, next)]).toEqual(['licence', 'licence'])
  })

  it('decides whether a backup takes it', () => {
    const containers = [using({ data: 'settings' })]
    const volumes = withContents([made], containers)
    expect(volumesToKeep({ ...installed, containers, volumes }, false)).toEqual([
      { volume: 'acme_data', archive: { type: 'volume', of: 'data', holds: 'settings' } },
    ])
  })

  it('of Slipway’s own volumes is nobody’s to say', () => {
    const { key: _, ...own } = made
    expect(withContents([own], [using({ data: 'settings' })])).toEqual([own])
  })
})
