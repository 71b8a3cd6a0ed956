import { expect, it } from 'vitest'
import { checkInstalled } from '../../../src/cli/reset.ts'
import { planHost } from '../../../src/host/plan.ts'
import { applyStep } from '../host/model-host.ts'
import { emptyHost, sampleTarget } from '../host/sample.ts'

const installed = planHost(emptyHost, sampleTarget()).reduce(applyStep, emptyHost)
const of = (product: string) => ({
  ...installed,
  containers: installed.containers.map((one) => ({ ...one, product })),
})

it('a reset takes no appliance of another product, though release and services are called alike', () => {
  const acme = { name: 'acme', version: '1.0.0' }
  expect(() => checkInstalled(acme, of('acme'), undefined)).not.toThrow()
  expect(() => checkInstalled(acme, installed, undefined)).not.toThrow()
  expect(() => checkInstalled(acme, of('edge'), undefined)).toThrow(
    "acme-dns-1 is of the product edge, and the product directory of acme; name that product's directory with -C, or another appliance with --name.",
  )
})
