import { expect, it } from 'vitest'
import { parseCompose } from '../../../src/definition/compose-parse.ts'
import { withVolumeNames } from '../../../src/host/backup/volume-names.ts'
import { composeText, emptyHost } from './sample.ts'

const options = { type: 'none', o: 'bind', device: '/srv/cache' }
const compose = parseCompose(
  composeText.replace('cache: {}', `cache: { driver_opts: ${JSON.stringify(options)} }`),
  {},
)
const installed = { ...emptyHost, volumes: [{ name: 'acme_cache', key: 'cache', driver: 'local', options }] }

it('a volume of a folder of the host gets no second one, which would be the same folder', () => {
  expect(() => withVolumeNames(compose, installed, ['cache'])).toThrow(
    'The volume acme_cache is /srv/cache (driver_opts of the Compose file), and a new volume beside it would be the same place; nothing was changed.',
  )
  expect(withVolumeNames(compose, installed).volumes).toEqual(compose.volumes)
  expect(withVolumeNames(compose, emptyHost, ['cache']).volumes).toEqual(compose.volumes)
})
