import { describe, expect, it } from 'vitest'
import { describePlan, formatPlan } from '../../../src/host/describe-plan.ts'
import { refuseOtherProduct } from '../../../src/host/other-product.ts'
import { planHost } from '../../../src/host/plan.ts'
import type { HostContainer, HostState, HostVolume } from '../../../src/host/state.ts'
import { caught } from '../../support/caught.ts'
import { applyStep } from './model-host.ts'
import { emptyHost, sampleTarget } from './sample.ts'

const installed = planHost(emptyHost, sampleTarget()).reduce(applyStep, emptyHost)
const [dns, optimiser] = installed.containers as [HostContainer, HostContainer]
const zeta = (one: HostContainer): HostContainer => ({ ...one, product: 'zeta-link', hash: 'of zeta-link' })
const kept: HostVolume = { name: 'acme_cache', product: 'zeta-link', driver: 'local', options: {} }
const refusal = {
  code: 'other-product',
  exitCode: 3,
  message:
    'acme is the product zeta-link on this host, and acme-wan would come in its place and take over its data; choose another --name, `slipway uninstall --name acme` first, or add --replace zeta-link where that is what you want.',
}

function refused(current: HostState, replaces?: string) {
  const { code, exitCode, message } = caught(() => refuseOtherProduct(current, 'acme-wan', replaces))
  return { code, exitCode, message }
}

describe('a product in the place of another', () => {
  it('is refused unless the other one is named', () => {
    const other = { ...installed, containers: [zeta(dns), zeta(optimiser)] }
    expect(refused(other)).toEqual(refusal)
    expect(refused(other, 'other')).toEqual(refusal)
    expect(() => refuseOtherProduct(other, 'acme-wan', 'zeta-link')).not.toThrow()
  })

  it('is refused where only data of the other one was kept', () => {
    const left = { ...emptyHost, volumes: [kept] }
    expect(refused(left)).toEqual(refusal)
    expect(() => refuseOtherProduct(left, 'acme-wan', 'zeta-link')).not.toThrow()
  })

  it('is refused where it has come half the way, and may go on', () => {
    const half = { ...installed, containers: [{ ...dns, product: 'acme-wan' }, zeta(optimiser)] }
    expect(refused(half)).toEqual(refusal)
    expect(() => refuseOtherProduct(half, 'acme-wan', 'zeta-link')).not.toThrow()
  })

  it('once there needs no word more, whoever made its volumes', () => {
    const own = { ...dns, product: 'acme-wan' }
    expect(() =>
      refuseOtherProduct({ ...installed, containers: [own], volumes: [kept] }, 'acme-wan', undefined),
    ).not.toThrow()
  })

  it('is not seen in what lost its label', () => {
    expect(() => refuseOtherProduct(installed, 'acme-wan', undefined)).not.toThrow()
  })

  it('says so in the plan', () => {
    const other = { ...installed, containers: [zeta(dns), optimiser] }
    expect(formatPlan(describePlan(planHost(other, sampleTarget())))).toEqual([
      '~ container acme-dns-1   made anew: product zeta-link → acme',
    ])
  })
})
