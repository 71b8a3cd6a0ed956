import { describe, expect, it } from 'vitest'
import { batchesOf } from '../../../src/host/batches.ts'
import { describeStep } from '../../../src/host/describe-step.ts'
import { planHost } from '../../../src/host/plan.ts'
import { planReset } from '../../../src/host/plan-reset.ts'
import type { HostState } from '../../../src/host/state.ts'
import type { Step } from '../../../src/host/step.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget } from './sample.ts'

const loaded: HostState = { ...emptyHost, images: [{ id: 'sha256:a', tags: ['acme:1.0.0'] }] }
const words = (steps: readonly Step[]): string[] =>
  batchesOf(steps).map((batch) => batch.map(describeStep).join(' + '))
const alone = composeText.replace('    depends_on: { dns: { condition: service_healthy } }\n', '')

describe('what is done at the same time', () => {
  it('is the start of services that do not need each other', () => {
    expect(words(planHost(loaded, sampleTarget({ compose: alone }))).slice(-3)).toEqual([
      'start container acme-dns-1 + start container acme-optimiser-1',
      'wait for acme-dns-1',
      'wait for acme-optimiser-1',
    ])
  })

  it.each(['service_started', 'service_healthy'])(
    'is not the start of one that needs another (%s)',
    (condition) => {
      const compose = composeText.replace('service_healthy', condition)
      expect(
        words(planHost(loaded, sampleTarget({ compose }))).filter((one) => one.includes('start')),
      ).toEqual(['start container acme-dns-1', 'start container acme-optimiser-1'])
    },
  )

  it('is not the stop of one and the start of another', () => {
    const target = sampleTarget({ compose: alone })
    const installed = planHost(loaded, target).reduce(applyStep, loaded)
    const reset = { level: 'clean', services: ['dns', 'optimiser'], emptied: [] } as const
    const starts = words(planReset(installed, target, reset, { stored: {}, kept: {} })).slice(2, 6)
    expect(starts).toEqual([
      'stop container acme-dns-1',
      'start container acme-dns-1.next',
      'stop container acme-optimiser-1',
      'start container acme-optimiser-1.next',
    ])
  })

  it('is what is remembered, and what stops for good', () => {
    const steps: Step[] = [
      { action: 'stop-container', service: 'dns', name: 'acme-dns-1', reason: '' },
      { action: 'stop-container', service: 'optimiser', name: 'acme-optimiser-1', reason: '' },
      { action: 'store-setting', appliance: 'acme', key: 'dns.port', value: '5353', reason: '' },
      { action: 'store-setting', appliance: 'acme', key: 'dns.cache', reason: '' },
      { action: 'store-setting', appliance: 'other', key: 'dns.cache', reason: '' },
    ]
    expect(words(steps)).toEqual([
      'stop container acme-dns-1 + stop container acme-optimiser-1',
      'remember dns.port=5353 + forget dns.cache',
      'forget dns.cache',
    ])
  })
})
