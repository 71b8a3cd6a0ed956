import { describe, expect, it } from 'vitest'
import { batchesOf } from '../../../src/host/batches.ts'
import { describeStep } from '../../../src/host/describe-step.ts'
import { planHost } from '../../../src/host/plan.ts'
import type { Step } from '../../../src/host/step.ts'
import { emptyHost, sampleTarget, waitFor } from './sample.ts'

const words = (steps: readonly Step[]): string[] =>
  batchesOf(steps).map((batch) => batch.map(describeStep).join(' + '))

describe('what is done in one go', () => {
  it('is what is remembered of one appliance', () => {
    const steps: Step[] = [
      { action: 'stop-container', service: 'dns', name: 'acme-dns-1', reason: '' },
      { action: 'stop-container', service: 'optimiser', name: 'acme-optimiser-1', reason: '' },
      { action: 'store-setting', appliance: 'acme', key: 'dns.port', value: '5353', reason: '' },
      { action: 'store-setting', appliance: 'acme', key: 'dns.cache', reason: '' },
      { action: 'store-setting', appliance: 'other', key: 'dns.cache', reason: '' },
    ]
    expect(words(steps)).toEqual([
      'stop container acme-dns-1',
      'stop container acme-optimiser-1',
      'remember dns.port=5353 + forget dns.cache',
      'forget dns.cache',
    ])
  })

  it('is the waiting for services that have all been started', () => {
    const start = (service: string): Step => ({
      action: 'start-container',
      service,
      name: `acme-${service}-1`,
      reason: '',
    })
    expect(words([start('optimiser'), start('dns'), waitFor('optimiser'), waitFor('dns')])).toEqual([
      'start container acme-optimiser-1',
      'start container acme-dns-1',
      'wait for acme-optimiser-1 + wait for acme-dns-1',
    ])
  })

  it('is nothing that makes or starts', () => {
    const steps = planHost(emptyHost, sampleTarget())
    expect(words(steps)).toEqual(steps.map(describeStep))
  })
})
