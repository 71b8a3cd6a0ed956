import { describe, expect, it } from 'vitest'
import { overlap, refuseConflicts } from '../../../src/host/conflicts.ts'
import type { HostPort, HostVolume } from '../../../src/host/state.ts'
import { emptyHost, sampleTarget } from './sample.ts'

const port = (text: string): HostPort => {
  const [, ip = '', number, protocol] = /^(.*)#(\d+)\/(.*)$/.exec(text) ?? []
  return { ip, port: Number(number), protocol: protocol! }
}

it.each([
  ['192.0.2.1#53/udp', '192.0.2.1#53/udp', true],
  ['192.0.2.1#53/udp', '192.0.2.2#53/udp', false],
  ['192.0.2.1#53/udp', '192.0.2.1#53/tcp', false],
  ['192.0.2.1#53/udp', '192.0.2.1#54/udp', false],
  ['#53/udp', '192.0.2.1#53/udp', true],
  ['0.0.0.0#53/udp', '192.0.2.1#53/udp', true],
  ['::#53/udp', '192.0.2.1#53/udp', true],
  ['#53/udp', '0.0.0.0#53/tcp', false],
])('the ports %s and %s exclude each other: %s', (a, b, excludes) => {
  expect([overlap(port(a), port(b)), overlap(port(b), port(a))]).toEqual([excludes, excludes])
})

describe('a volume that is there', () => {
  const target = sampleTarget()
  const [wanted] = target.volumes
  const withOptions = { ...target, volumes: [{ ...wanted!, options: { type: 'nfs' } }] }
  const refused = (there: Pick<HostVolume, 'driver' | 'options'>): boolean => {
    try {
      refuseConflicts({ ...emptyHost, volumes: [{ name: wanted!.name, ...there }] }, withOptions)
      return false
    } catch {
      return true
    }
  }

  it('is taken only where its driver and each of its options are those that are wanted', () => {
    expect([
      refused({ driver: 'local', options: { type: 'nfs' } }),
      refused({ driver: 'other', options: { type: 'nfs' } }),
      refused({ driver: 'local', options: {} }),
      refused({ driver: 'local', options: { type: 'cifs' } }),
      refused({ driver: 'local', options: { type: 'nfs', device: 'host:/x' } }),
    ]).toEqual([false, true, true, true, true])
  })
})
