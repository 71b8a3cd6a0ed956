import { expect, it } from 'vitest'
import { chooseProfile } from '../../../src/cli/host-plan.ts'
import { loadDefinition } from '../../../src/definition/load.ts'
import type { BackupHeader } from '../../../src/host/backup/format.ts'
import { emptyState, withRelease } from '../../../src/host/state-document.ts'
import { repository } from '../../support/slipway.ts'
import { emptyHost } from '../host/sample.ts'

const release = { at: '2026-11-20T12:00:00Z', release: '0.1.0', image: 'sha256:a' }

it('an install without a profile takes the last one, also where containers are of an earlier one', async () => {
  const definition = await loadDefinition(repository)
  const container = {
    id: 'a',
    name: 'acme-dns-1',
    service: 'dns',
    hash: '',
    release: '0.1.0',
    profile: 'campus',
    imageId: 'sha256:a',
    imageIds: ['sha256:a'],
    status: 'running',
    health: 'healthy',
    networks: {},
    volumes: [],
    ports: [],
  } as const
  const chosen = async (stored: typeof emptyState): Promise<string> => {
    const host = { ...emptyHost, containers: [container] }
    return (await chooseProfile(definition, 'acme', { directory: '.' }, host, stored, undefined)).profile.name
  }
  expect(await chosen(withRelease(emptyState, { ...release, profile: 'datacentre' }))).toBe('datacentre')
  expect(await chosen(emptyState)).toBe('campus')
})

it('a backup with settings that the release has no place for is told with the restore that leaves them out', async () => {
  const definition = await loadDefinition(repository)
  const stored = { ...emptyState, settings: { 'relay.port': '99' } }
  const header = { profile: 'branch' } as BackupHeader
  const choose = (unset: string[]) =>
    chooseProfile(definition, 'acme', { directory: '.', unset }, emptyHost, stored, {
      header,
      file: '/backups/site 7.tgz',
    })
  await expect(choose([])).rejects.toThrow(
    'does not fit this release; `slipway restore "/backups/site 7.tgz" --unset relay.port` forgets it.',
  )
  expect((await choose(['relay.port'])).settings).toEqual({})
})
