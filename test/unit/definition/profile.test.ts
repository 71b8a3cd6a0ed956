import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { profileVariables } from '../../../src/definition/profile.ts'
import { loadProfile, profileNames } from '../../../src/definition/profile-load.ts'
import type { Roots } from '../../../src/definition/roots.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

let scratch: Scratch
let place: { roots: Roots }
let folder: string

beforeEach(async () => {
  scratch = await makeScratch('profile')
  place = { roots: [{ directory: scratch.path, label: '' }] }
  folder = path.join(scratch.path, 'profiles')
  await mkdir(folder)
})
afterEach(() => scratch.remove())

const write = (name: string, text: string): Promise<void> =>
  writeFile(path.join(folder, `${name}.yaml`), text)

const branch = `description: A branch
services:
  dns: { memory: 64m, cache: 5000, port: 53 }
  wan-cache: { memory: 512m, cache: 2g, port: 192.0.2.1:3128, restart: unless-stopped }
allowedNetworks: [10.0.0.0/8, "fc00::/7"]
upstreamDns: [192.0.2.53, "2001:db8::53"]
maintenance: { days: [sun], from: "02:00", to: "04:00", timezone: Europe/Berlin }
`

describe('profileVariables', () => {
  it('gives the Compose file one variable for each thing that a profile sets', async () => {
    await write('branch', branch)
    expect(profileVariables(await loadProfile(place, 'branch'))).toEqual({
      DNS_MEMORY: '64m',
      DNS_CACHE: '5000',
      DNS_PORT: '53',
      WAN_CACHE_MEMORY: '512m',
      WAN_CACHE_CACHE: '2g',
      WAN_CACHE_ADDRESS: '192.0.2.1',
      WAN_CACHE_PORT: '3128',
      WAN_CACHE_RESTART: 'unless-stopped',
      ALLOWED_NETWORKS: '10.0.0.0/8 fc00::/7',
      UPSTREAM_DNS: '192.0.2.53 2001:db8::53',
    })
  })

  it('keeps the brackets of an IPv6 address, which Compose needs', () => {
    const services = { dns: { port: '[2001:db8::1]:53' } }
    expect(profileVariables({ name: 'six', description: '', services })).toEqual({
      DNS_ADDRESS: '[2001:db8::1]',
      DNS_PORT: '53',
    })
  })

  it('gives a service’s own settings each its variable, merged name by name', async () => {
    await write(
      'far',
      'services: { tunnel: { settings: { role: server, keyFile: /etc/acme/key, origins: [a, b], conn: 4 } } }',
    )
    await write('near', 'extends: far\nservices: { tunnel: { settings: { role: client } } }')
    expect(profileVariables(await loadProfile(place, 'near'))).toEqual({
      TUNNEL_ROLE: 'client',
      TUNNEL_KEY_FILE: '/etc/acme/key',
      TUNNEL_ORIGINS: 'a b',
      TUNNEL_CONN: '4',
    })
  })

  it('sets nothing that a profile leaves open', () => {
    expect(profileVariables({ name: 'empty', description: '', services: { dns: {} } })).toEqual({})
  })
})

describe('loadProfile', () => {
  it('merges services and the maintenance window key by key, and replaces lists', async () => {
    await write('branch', branch)
    await write(
      'campus',
      'extends: branch\nservices: { dns: { memory: 1.5g } }\nallowedNetworks: [10.1.0.0/16]\nmaintenance: { to: "05:00" }\n',
    )
    expect(await loadProfile(place, 'campus')).toEqual({
      name: 'campus',
      description: 'A branch',
      services: {
        dns: { memory: 1_610_612_736, cache: '5000', port: '53' },
        'wan-cache': {
          memory: 536_870_912,
          cache: '2g',
          port: '192.0.2.1:3128',
          restart: 'unless-stopped',
        },
      },
      allowedNetworks: ['10.1.0.0/16'],
      upstreamDns: ['192.0.2.53', '2001:db8::53'],
      maintenance: { days: ['sun'], from: '02:00', to: '05:00', timezone: 'Europe/Berlin' },
    })
  })

  it('offers the nearest name for a profile that is not there', async () => {
    await write('branch', branch)
    await write('campus', 'extends: branch\n')
    expect(await profileNames(place)).toEqual(['branch', 'campus'])
    await expect(loadProfile(place, 'brunch')).rejects.toMatchObject({
      code: 'no-such-profile',
      exitCode: 2,
      message:
        'There is no profile "brunch"; did you mean branch? Choose with --profile one of: branch, campus.',
    })
  })

  it('never leaves the folder of profiles', async () => {
    await writeFile(path.join(scratch.path, 'outside.yaml'), branch)
    await expect(loadProfile(place, '../outside')).rejects.toMatchObject({
      message: 'There is no profile "../outside". The folder profiles holds none.',
    })
  })

  it.each([
    [
      'services: { dns: { memory: 5m } }',
      'services.dns.memory is "5m"; it must be a size such as 512m or 2g, at least 6m.',
    ],
    [
      'services: { dns: { memory: 5 } }',
      'services.dns.memory is 5; it must be a size such as 512m or 2g, at least 6m.',
    ],
    [
      'services: { dns: { port: 70000 } }',
      'services.dns.port is 70000; it must be a port of the host such as 53, or an address and a port such as 192.0.2.1:53.',
    ],
    [
      'services: { dns: { port: "192.0.2.1:70000" } }',
      'services.dns.port is "192.0.2.1:70000"; the port must be from 1 to 65535.',
    ],
    [
      'services: { dns: { cashe: 1g } }',
      'services.dns.cashe is unknown; did you mean cache? Known in services.dns: memory, cache, port, restart, settings.',
    ],
    [
      'allowedNetworks: [10.0.0.0]',
      'allowedNetworks[0] is "10.0.0.0"; it must be a network such as 10.0.0.0/8 or fc00::/7.',
    ],
    [
      'allowedNetworks: [10.0.0.0/33]',
      'allowedNetworks[0] is "10.0.0.0/33"; it must be a network such as 10.0.0.0/8 or fc00::/7.',
    ],
    [
      'allowedNetworks: []',
      'allowedNetworks is empty; it must be a list of networks whose clients are served, such as 10.0.0.0/8.',
    ],
    [
      'upstreamDns: [dns.example]',
      'upstreamDns[0] is "dns.example"; it must be an IP address such as 192.0.2.53.',
    ],
    [
      'maintenance: { from: "25:00" }',
      'maintenance.from is "25:00"; it must be a time of day in quotes, such as "02:00".',
    ],
    [
      'maintenance: { days: [sat, sonday] }',
      'maintenance.days[1] is "sonday"; it must be mon, tue, wed, thu, fri, sat or sun.',
    ],
    ['extends: brnch', 'extends is "brnch"; it must be another profile: branch; did you mean branch?'],
    ['extends: site', 'extends goes in a circle: site → site.'],
  ])('refuses %s', async (line, sentence) => {
    await write('branch', branch)
    await write('site', `# A site\n${line}\n`)
    await expect(loadProfile(place, 'site')).rejects.toMatchObject({
      exitCode: 2,
      message: `profiles/site.yaml:2: ${sentence} Correct it, then run: slipway validate`,
    })
  })

  it('points at the file that holds the mistake, not at the one that extends it', async () => {
    await write('branch', 'extends: campus\n')
    await write('campus', 'extends: branch\n')
    await expect(loadProfile(place, 'branch')).rejects.toMatchObject({
      message:
        'profiles/campus.yaml:1: extends goes in a circle: branch → campus → branch. Correct it, then run: slipway validate',
    })
  })
})
