import { expect, it } from 'vitest'
import { chooseProfile } from '../../../src/cli/host-plan.ts'
import { loadDefinition } from '../../../src/definition/load.ts'
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
