import { describe, expect, it } from 'vitest'
import { parseCompose } from '../../../src/definition/compose-parse.ts'
import type { BackupHeader } from '../../../src/host/backup/format.ts'
import { volumesInUse, volumesToKeep } from '../../../src/host/backup/plan-backup.ts'
import { listMisfits, planRestore, refuseOtherBackup } from '../../../src/host/backup/plan-restore.ts'
import { withVolumeNames } from '../../../src/host/backup/volume-names.ts'
import { describeStep } from '../../../src/host/describe-step.ts'
import { planHost } from '../../../src/host/plan.ts'
import type { HostContainer, HostState } from '../../../src/host/state.ts'
import type { Step } from '../../../src/host/step.ts'
import { type HostTarget, targetHost } from '../../../src/host/target.ts'
import { caught } from '../../support/caught.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost } from './sample.ts'

const header: BackupHeader = {
  kind: 'slipway-backup',
  format: 1,
  name: 'acme',
  product: 'acme',
  release: '1.0.0',
  images: ['sha256:a'],
  profile: 'branch',
  settings: {},
  created: '2026-01-02T03:04:05.000Z',
  archives: [
    { type: 'volume', of: 'cache', holds: 'cache' },
    { type: 'configuration', of: 'dns', paths: ['/etc/dnsmasq.conf'] },
  ],
}

const compose = parseCompose(composeText, {})

/** The target on this host, its volumes called as they are or anew. */
function targetOn(host: HostState, keys: readonly string[] = []): HostTarget {
  const named = withVolumeNames(compose, host, keys)
  const definition = { name: 'acme', version: '1.0.0', composeFile: '/product/compose/appliance.yaml' }
  const image = { reference: 'acme:1.0.0', ids: ['sha256:a'], size: 1000 }
  return targetHost(definition, named, image, 'acme', 'branch')
}

/** The model, with the key that an Engine keeps as a label. */
function apply(host: HostState, steps: readonly Step[]): HostState {
  const next = steps.reduce(applyStep, host)
  return { ...next, volumes: next.volumes.map((one) => ({ ...one, key: 'cache' })) }
}

const installed = apply(emptyHost, planHost(emptyHost, targetOn(emptyHost)))
const says = (steps: readonly Step[]): string[] => steps.map(describeStep)

describe('a restore', () => {
  it('on an empty host fills the volumes and the containers before they start', () => {
    const steps = planRestore(emptyHost, targetOn(emptyHost, ['cache']), header)
    expect(says(steps)).toEqual([
      'load image acme:1.0.0',
      'create network acme_default',
      'create volume acme_cache',
      'fill volume acme_cache',
      'create container acme-dns-1',
      'put files into acme-dns-1',
      'create container acme-optimiser-1',
      'start container acme-dns-1',
      'wait for acme-dns-1',
      'start container acme-optimiser-1',
      'wait for acme-optimiser-1',
    ])
  })

  it('over an appliance fills a volume beside the one that serves, which goes last', () => {
    const steps = planRestore(installed, targetOn(installed, ['cache']), header)
    expect(says(steps)).toEqual([
      'create volume acme_cache.2',
      'fill volume acme_cache.2',
      'create container acme-dns-1.next',
      'put files into acme-dns-1.next',
      'create container acme-optimiser-1.next',
      'stop container acme-dns-1',
      'start container acme-dns-1.next',
      'wait for acme-dns-1.next',
      'stop container acme-optimiser-1',
      'start container acme-optimiser-1.next',
      'wait for acme-optimiser-1.next',
      'remove container acme-dns-1',
      'remove container acme-optimiser-1',
      'rename container acme-dns-1.next to acme-dns-1',
      'rename container acme-optimiser-1.next to acme-optimiser-1',
      'remove volume acme_cache',
    ])
  })

  it('is followed by an install that plans nothing', () => {
    const restored = apply(installed, planRestore(installed, targetOn(installed, ['cache']), header))
    expect(restored.volumes.map(({ name }) => name)).toEqual(['acme_cache.2'])
    expect(planHost(restored, targetOn(restored))).toEqual([])
  })

  it('takes the usual name again the next time', () => {
    const once = apply(installed, planRestore(installed, targetOn(installed, ['cache']), header))
    const twice = apply(once, planRestore(once, targetOn(once, ['cache']), header))
    expect(twice.volumes.map(({ name }) => name)).toEqual(['acme_cache'])
  })

  it('that was killed after any of its steps is finished by another one', () => {
    const steps = planRestore(installed, targetOn(installed, ['cache']), header)
    for (let done = 0; done <= steps.length; done++) {
      const killed = apply(installed, steps.slice(0, done))
      const again = apply(killed, planRestore(killed, targetOn(killed, ['cache']), header))
      expect(again.containers.map(({ name, status }) => [name, status]).sort()).toEqual([
        ['acme-dns-1', 'running'],
        ['acme-optimiser-1', 'running'],
      ])
      expect(again.volumes).toHaveLength(1)
      expect(planHost(again, targetOn(again))).toEqual([])
    }
  })

  it('leaves volumes alone that the backup does not hold', () => {
    const without = { ...header, archives: [] }
    const steps = planRestore(installed, targetOn(installed), without)
    expect(steps.filter(({ action }) => /volume/.test(action))).toEqual([])
  })

  it('is refused where a container of others mounts a volume that would go', () => {
    const volumes = installed.volumes.map((one) => ({ ...one, guests: ['dump'] }))
    const visited = { ...installed, volumes }
    expect(() => planRestore(visited, targetOn(visited, ['cache']), header)).toThrow(
      'The container dump is not of the appliance acme and mounts its volume acme_cache, which is to go;',
    )
    const steps = planRestore(visited, targetOn(visited), { ...header, archives: [] })
    expect(steps.filter(({ action }) => /volume/.test(action))).toEqual([])
  })

  it('does not put files changed over one image over another', () => {
    const other = { ...header, images: ['sha256:other'], release: '0.9.0' }
    const target = targetOn(installed, ['cache'])
    expect(planRestore(installed, target, other).filter(({ action }) => action === 'put-files')).toEqual([])
    expect(listMisfits(other, target)).toEqual([
      "the image is another than the backup's (release 0.9.0): the changed files of dns are left out",
    ])
  })

  it('says what the release has no place for, and deletes nothing for it', () => {
    const more: BackupHeader = { ...header, archives: [{ type: 'volume', of: 'licence' }] }
    const host = {
      ...installed,
      volumes: [...installed.volumes, { name: 'acme_licence', key: 'licence', driver: 'local', options: {} }],
    }
    expect(listMisfits(more, targetOn(host))).toEqual([
      'release 1.0.0 has no volume licence: its content is left out',
    ])
    expect(says(planRestore(host, targetOn(host), more)).filter((text) => /volume/.test(text))).toEqual([])
  })

  it('refuses the backup of another product', () => {
    const { code, exitCode, message } = caught(() =>
      refuseOtherBackup({ ...header, product: 'other' }, 'acme', '/b.tgz'),
    )
    expect({ code, exitCode, message }).toEqual({
      code: 'other-product',
      exitCode: 2,
      message:
        "/b.tgz is a backup of other, and this product directory is of acme; nothing was changed. Name that product's directory with -C.",
    })
  })
})

describe('the volumes of a backup', () => {
  const volume = (key: string, holds?: string, name = `acme_${key}`) => ({
    name,
    key,
    ...(holds && { holds }),
    driver: 'local',
    options: {},
  })
  const using = (name: string, status: HostContainer['status']): HostContainer => ({
    ...installed.containers[0]!,
    volumes: [name],
    status,
  })

  it('are all but caches and what is no service’s, unless caches are asked for', () => {
    const { key: _, ...state } = volume('state')
    const host = {
      ...emptyHost,
      volumes: [volume('cache', 'cache'), volume('licence', 'licence'), volume('data'), state],
    }
    const kept = (withCache: boolean) => volumesToKeep(host, withCache).map(({ archive }) => archive)
    expect(kept(false)).toEqual([
      { type: 'volume', of: 'data' },
      { type: 'volume', of: 'licence', holds: 'licence' },
    ])
    expect(kept(true).map(({ of }) => of)).toEqual(['cache', 'data', 'licence'])
  })

  it('of two with one key that which serves counts', () => {
    const volumes = [volume('cache', 'cache'), volume('cache', 'cache', 'acme_cache.2')]
    const inUse = (...containers: HostContainer[]): string[] =>
      volumesInUse({ ...emptyHost, volumes, containers }).map(({ name }) => name)
    expect(inUse()).toEqual(['acme_cache'])
    expect(inUse(using('acme_cache', 'running'), using('acme_cache.2', 'created'))).toEqual(['acme_cache'])
    expect(inUse(using('acme_cache', 'exited'), using('acme_cache.2', 'running'))).toEqual(['acme_cache.2'])
    const ill = { ...using('acme_cache', 'running'), health: 'unhealthy' as const }
    const well = { ...using('acme_cache.2', 'running'), health: 'healthy' as const }
    expect(inUse(ill, well)).toEqual(['acme_cache.2'])
  })
})
