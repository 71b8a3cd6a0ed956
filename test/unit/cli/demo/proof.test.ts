import { afterEach, describe, expect, it } from 'vitest'
import { type Proof, type ProofOptions, prove } from '../../../../src/cli/demo/proof.ts'
import { type FakeAppliance, type Faults, openFakeAppliance } from '../../../support/fake-appliance.ts'

const otherZone = 'server=/other.example/192.0.2.1#53\n'
const said: string[] = []
const options: ProofOptions = {
  speed: { latency: 1, bitsPerSecond: 1e9 },
  objectBytes: 100_000,
  signal: new AbortController().signal,
  say: (line) => said.push(line),
}

let appliance: FakeAppliance | undefined
afterEach(() => appliance?.close())

async function proveWith(faults: Faults, changed: Partial<ProofOptions> = {}): Promise<Proof> {
  appliance = await openFakeAppliance(faults)
  return prove(appliance.engine, appliance.access, { ...options, ...changed })
}

describe('the proof', () => {
  it('asks the far end once directly and once through an appliance that keeps what it has seen', async () => {
    const proof = await proveWith({})
    expect({ ...proof, sha256: '', direct: {}, first: {}, again: {} }).toEqual({
      link: { roundTrip: 2, bitsPerSecond: 1e9 },
      objectBytes: 100_000,
      sha256: '',
      direct: {},
      first: {},
      again: {},
      farEnd: { lookups: 2, fetches: 2 },
      cacheHeader: 'HIT from fake',
    })
  })

  it('takes its forward back, and leaves those of others', async () => {
    await proveWith({})
    expect(appliance?.servers()).toBe(otherZone)
  })

  it('fails where the object was fetched over the link again', async () => {
    await expect(proveWith({ forgetsObjects: true })).rejects.toMatchObject({
      code: 'proof-failed',
      message:
        'The proof failed: the far end was asked for the object 3 times, and 2 were to be expected; see what the services say: slipway logs.',
    })
    expect(appliance?.servers()).toBe(otherZone)
  })

  it('fails where the name was asked for again', async () => {
    await expect(proveWith({ forgetsNames: true })).rejects.toThrow(
      'The proof failed: the far end was asked for the name 3 times, and 2 were to be expected; see what the services say: slipway logs.',
    )
  })

  it('fails where the appliance gives other bytes', async () => {
    await expect(proveWith({ altersObjects: true })).rejects.toThrow(
      /^The proof failed: http:\S+ came with other bytes \(100000 of 100000, sha256 [0-9a-f]{64}\)/,
    )
  })

  it('takes its forward back when it is interrupted', async () => {
    const interrupted = new AbortController()
    const say = (line: string) => {
      if (line.includes('first time')) interrupted.abort(new Error('Ctrl-C'))
    }
    await expect(proveWith({}, { signal: interrupted.signal, say })).rejects.toThrow('Ctrl-C')
    expect(appliance?.servers()).toBe(otherZone)
  })
})
