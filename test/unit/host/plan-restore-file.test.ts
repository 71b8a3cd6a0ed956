import { describe, expect, it } from 'vitest'
import { describeStep } from '../../../src/host/describe-step.ts'
import { planHost } from '../../../src/host/plan.ts'
import { planRestoreFile } from '../../../src/host/plan-restore-file.ts'
import { checkPath } from '../../../src/host/restore-file.ts'
import type { HostContainer } from '../../../src/host/state.ts'
import { isIrreversible } from '../../../src/host/step.ts'
import { caught } from '../../support/caught.ts'
import { applyStep } from './model-host.ts'
import { emptyHost, sampleTarget } from './sample.ts'

const installed = planHost(emptyHost, sampleTarget()).reduce(applyStep, emptyHost)
const dns = installed.containers.find(({ service }) => service === 'dns')!
const wish = { appliance: 'acme', path: '/etc/dns.conf', from: 'image' } as const
const plan = (container: HostContainer, differs = true) => planRestoreFile([{ container, differs }], wish)
const words = (container: HostContainer): string[] => plan(container).map(describeStep)

describe('the plan to put a file back', () => {
  it('is empty where the file is as it should be', () => {
    expect(plan(dns, false)).toEqual([])
  })

  it('reloads a service that is well and can, and restarts one that cannot', () => {
    expect(words({ ...dns, reload: ['/reload'] })).toEqual([
      'put back /etc/dns.conf in acme-dns-1',
      'reload acme-dns-1',
      'wait for acme-dns-1',
    ])
    expect(words(dns)).toEqual([
      'put back /etc/dns.conf in acme-dns-1',
      'stop container acme-dns-1',
      'start container acme-dns-1',
      'wait for acme-dns-1',
    ])
  })

  it.each(['restarting', 'paused'] as const)('restarts a service that is %s, whatever it can', (status) => {
    expect(words({ ...dns, status, reload: ['/reload'] })).toEqual(words(dns))
  })

  it.each(['exited', 'created'] as const)('leaves a service stopped that is %s', (status) => {
    expect(words({ ...dns, status })).toEqual(['put back /etc/dns.conf in acme-dns-1'])
  })

  it('keeps the file in a service that was not well before, whatever comes after', () => {
    const lasts = (container: HostContainer): boolean => isIrreversible(plan(container)[0]!)
    expect(lasts(dns)).toBe(false)
    expect(lasts({ ...dns, health: 'unhealthy' })).toBe(true)
    expect(lasts({ ...dns, status: 'restarting' })).toBe(true)
  })
})

describe('a path to put back', () => {
  it('is refused where it is not absolute, goes up, or ends with a slash', () => {
    for (const file of ['', 'etc/passwd', '/etc/../passwd', '/etc/', '/']) {
      expect(caught(() => checkPath(file))).toMatchObject({
        code: 'bad-path',
        exitCode: 2,
        message: `"${file}" is no path of a file in a container; write one such as /etc/appliance/squid.conf, as \`slipway drift\` shows it.`,
      })
    }
  })
})
