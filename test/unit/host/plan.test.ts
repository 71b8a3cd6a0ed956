import { describe, expect, it } from 'vitest'
import { describePlan, formatPlan } from '../../../src/host/describe-plan.ts'
import { describeStep } from '../../../src/host/describe-step.ts'
import { planHost } from '../../../src/host/plan.ts'
import type { HostContainer, HostState } from '../../../src/host/state.ts'
import { emptyTarget } from '../../../src/host/target.ts'
import { caught } from '../../support/caught.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget } from './sample.ts'

const installed = planHost(emptyHost, sampleTarget()).reduce(applyStep, emptyHost)

function withContainer(service: string, change: Partial<HostContainer>): HostState {
  const containers = installed.containers.map((one) =>
    one.service === service ? { ...one, ...change } : one,
  )
  return { ...installed, containers }
}

function stepsOf(current: HostState, target = sampleTarget()): string[] {
  return planHost(current, target).map(describeStep)
}

function linesOf(current: HostState, target = sampleTarget()): string[] {
  return formatPlan(describePlan(planHost(current, target)))
}

describe('planHost', () => {
  it('makes everything on an empty host, and starts a service after what it needs is healthy', () => {
    expect(stepsOf(emptyHost)).toEqual([
      'load image acme:1.0.0',
      'create network acme_default',
      'create volume acme_cache',
      'create container acme-dns-1',
      'create container acme-optimiser-1',
      'start container acme-dns-1',
      'wait for acme-dns-1',
      'start container acme-optimiser-1',
      'wait for acme-optimiser-1',
    ])
  })

  it('plans nothing where the host is as it should be', () => {
    expect(stepsOf(installed)).toEqual([])
  })

  it('makes the new container before the old one is stopped, and removes the old one when the new is healthy', () => {
    const target = sampleTarget({ compose: composeText.replace('pids_limit: 64', 'pids_limit: 128') })
    expect(stepsOf(installed, target)).toEqual([
      'create container acme-optimiser-1.next',
      'stop container acme-optimiser-1',
      'start container acme-optimiser-1.next',
      'wait for acme-optimiser-1.next',
      'remove container acme-optimiser-1',
      'rename container acme-optimiser-1.next to acme-optimiser-1',
    ])
  })

  it('replaces all services of another release and shows each as one line', () => {
    expect(linesOf(installed, sampleTarget({ version: '2.0.0', image: 'b' }))).toEqual([
      '+ image acme:2.0.0             not on this host (1.00 kB)',
      '~ container acme-dns-1         made anew: release 1.0.0 → 2.0.0',
      '~ container acme-optimiser-1   made anew: release 1.0.0 → 2.0.0',
    ])
  })

  it('only starts a stopped container', () => {
    expect(linesOf(withContainer('dns', { status: 'exited' }))).toEqual([
      '~ container acme-dns-1   started: it is stopped',
    ])
  })

  it('restarts an unhealthy container', () => {
    expect(stepsOf(withContainer('dns', { health: 'unhealthy' }))).toEqual([
      'stop container acme-dns-1',
      'start container acme-dns-1',
      'wait for acme-dns-1',
    ])
  })

  it('does not wait for the end of a service that loses nothing by a kill', () => {
    const stopsOf = (change: Partial<HostContainer>) =>
      planHost(withContainer('dns', { health: 'unhealthy', ...change }), sampleTarget()).filter(
        ({ action }) => action === 'stop-container',
      )
    const stop = {
      action: 'stop-container',
      service: 'dns',
      name: 'acme-dns-1',
      reason: 'it is unhealthy',
    }
    expect(stopsOf({})).toEqual([stop])
    expect(stopsOf({ crashSafe: true })).toEqual([{ ...stop, atOnce: true }])
  })

  it('waits for a container that has only just started', () => {
    expect(linesOf(withContainer('dns', { health: 'starting' }))).toEqual([
      '~ container acme-dns-1   it has only just started',
    ])
  })

  it('makes a container anew that is off its network', () => {
    expect(linesOf(withContainer('dns', { networks: {} }))).toEqual([
      '~ container acme-dns-1   made anew: it is not on the network acme_default',
    ])
  })

  it('makes volume and container anew where the volume is gone', () => {
    expect(linesOf({ ...installed, volumes: [] })).toEqual([
      '+ volume acme_cache            not on this host',
      '~ container acme-optimiser-1   made anew: the volume acme_cache is gone',
    ])
  })

  it('gives the new container a name that no stranger has while it stands beside the old one', () => {
    const target = sampleTarget({ compose: composeText.replace('pids_limit: 64', 'pids_limit: 128') })
    const foreign = { ...emptyHost.foreign, containers: ['acme-optimiser-1.next'] }
    expect(stepsOf({ ...installed, foreign }, target)).toEqual([
      'create container acme-optimiser-1.next2',
      'stop container acme-optimiser-1',
      'start container acme-optimiser-1.next2',
      'wait for acme-optimiser-1.next2',
      'remove container acme-optimiser-1',
      'rename container acme-optimiser-1.next2 to acme-optimiser-1',
    ])
  })

  it('takes over the healthy container that an interrupted run left under a temporary name', () => {
    const target = sampleTarget({ compose: composeText.replace('pids_limit: 64', 'pids_limit: 128') })
    const cut = planHost(installed, target).slice(0, 4).reduce(applyStep, installed)
    expect(stepsOf(cut, target)).toEqual([
      'remove container acme-optimiser-1',
      'rename container acme-optimiser-1.next to acme-optimiser-1',
    ])
  })

  it('names an image that is loaded but lost its name, without loading it again', () => {
    const images = [{ id: 'sha256:a', tags: [] }]
    expect(planHost({ ...installed, images }, sampleTarget())).toEqual([
      { action: 'tag-image', id: 'sha256:a', reference: 'acme:1.0.0', reason: 'loaded without its name' },
    ])
  })

  it('removes the containers of a service that the release no longer has, last', () => {
    const [dnsOnly] = composeText.split('  optimiser:')
    expect(linesOf(installed, sampleTarget({ compose: dnsOnly! }))).toEqual([
      '- container acme-optimiser-1   the release has no such service',
    ])
  })

  it('takes what hangs on a network away first when the network must change', () => {
    const target = sampleTarget({ compose: `${composeText}networks:\n  default: { internal: true }\n` })
    expect(stepsOf(installed, target)).toEqual([
      'stop container acme-dns-1',
      'stop container acme-optimiser-1',
      'remove container acme-dns-1',
      'remove container acme-optimiser-1',
      'remove network acme_default',
      'create network acme_default',
      'create container acme-dns-1',
      'create container acme-optimiser-1',
      'start container acme-dns-1',
      'wait for acme-dns-1',
      'start container acme-optimiser-1',
      'wait for acme-optimiser-1',
    ])
  })

  it('uninstalls everything of its own, volumes only when told', () => {
    expect(linesOf(installed, emptyTarget('acme', false))).toEqual([
      '- container acme-dns-1         no longer wanted',
      '- container acme-optimiser-1   no longer wanted',
      '- network acme_default         no longer wanted',
      '- volume acme_cache            no longer wanted; its data goes with it',
    ])
    expect(linesOf(installed, emptyTarget('acme', true))).toHaveLength(3)
  })
})

describe('planHost refuses, before any step,', () => {
  const foreign = emptyHost.foreign

  it('to take a network away that a container of others is on', () => {
    const networks = installed.networks.map((one) => ({ ...one, guests: ['mon'] }))
    expect(() => planHost({ ...installed, networks }, emptyTarget('acme', false))).toThrow(
      'The container mon is not of the appliance acme and is on its network acme_default, which is to go; `docker network disconnect acme_default mon`, then run the same command again.',
    )
    expect(planHost({ ...installed, networks }, sampleTarget())).toEqual([])
  })

  it('to take a volume away that a container of others mounts', () => {
    const volumes = installed.volumes.map((one) => ({ ...one, guests: ['dump'] }))
    expect(() => planHost({ ...installed, volumes }, emptyTarget('acme', false))).toThrow(
      'The container dump is not of the appliance acme and mounts its volume acme_cache, which is to go; remove that container (`docker rm --force dump`) when nobody needs it, then run the same command again.',
    )
    expect(linesOf({ ...installed, volumes }, emptyTarget('acme', true))).toHaveLength(3)
    expect(planHost({ ...installed, volumes }, sampleTarget())).toEqual([])
  })

  it('names that strangers have', () => {
    const taken = {
      ...foreign,
      containers: ['acme-dns-1'],
      networks: ['acme_default'],
      volumes: ['acme_cache'],
    }
    expect(() => planHost({ ...emptyHost, foreign: taken }, sampleTarget())).toThrow(
      'the container acme-dns-1, the network acme_default, the volume acme_cache exist on this host and are not of the appliance acme; remove or rename them, or choose another --name.',
    )
  })

  it('a port that somebody holds, naming the holder', () => {
    const ports = [{ ip: '127.0.0.53', port: 53, protocol: 'udp', holder: 'systemd-resolve (process 412)' }]
    expect(() => planHost({ ...emptyHost, foreign: { ...foreign, ports } }, sampleTarget())).toThrow(
      'Port 53/udp of this host is in use by systemd-resolve (process 412); stop that, or give the profile another port, then run the same command again.',
    )
  })

  it('a port that a stranger took while its own container was stopped', () => {
    const ports = [{ ip: '', port: 53, protocol: 'udp', holder: 'named (process 9)' }]
    const current = { ...withContainer('dns', { status: 'exited' }), foreign: { ...foreign, ports } }
    expect(caught(() => planHost(current, sampleTarget()))).toMatchObject({ code: 'port-taken', exitCode: 3 })
  })

  it('no uninstall for names that strangers have', () => {
    const taken = { ...foreign, containers: ['acme-mutex', 'acme-state'], volumes: ['acme_state'] }
    expect(planHost({ ...emptyHost, foreign: taken }, emptyTarget('acme', false))).toEqual([])
  })

  it('no port that its own container holds', () => {
    const ports = [{ ip: '0.0.0.0', port: 53, protocol: 'udp', holder: 'docker-proxy (process 1)' }]
    expect(planHost({ ...installed, foreign: { ...foreign, ports } }, sampleTarget())).toEqual([])
  })

  it.each(['paused', 'restarting'] as const)('no port that its own %s container holds', (status) => {
    const ports = [{ ip: '0.0.0.0', port: 53, protocol: 'udp', holder: 'docker-proxy (process 1)' }]
    const current = withContainer('dns', { status })
    expect(() => planHost({ ...current, foreign: { ...foreign, ports } }, sampleTarget())).not.toThrow()
  })

  it('to lose the data of a volume whose driver options changed', () => {
    const volumes = [{ name: 'acme_cache', driver: 'local', options: { type: 'nfs' } }]
    expect(() => planHost({ ...installed, volumes }, sampleTarget())).toThrow(
      'The volume acme_cache exists with other driver options than the Compose file gives, and making it anew would lose its data; put the options back, or `docker volume rm acme_cache` after a backup.',
    )
  })
})
