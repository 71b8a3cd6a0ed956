import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ComposeService } from '../../src/definition/compose.ts'
import { loadCompose } from '../../src/definition/compose-file.ts'
import { loadDefinition } from '../../src/definition/load.ts'
import { profileVariables } from '../../src/definition/profile.ts'
import { loadProfile } from '../../src/definition/profile-load.ts'
import { parseSize } from '../../src/definition/size.ts'
import { repository } from '../support/slipway.ts'

/** What `docker-compose config` prints of a service, as far as it is compared. */
interface Printed {
  readonly image: string
  readonly command: readonly string[]
  readonly user?: string
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly {
    readonly target: number
    readonly published: number
    readonly protocol: string
  }[]
  readonly volumes?: readonly (string | { readonly source: string; readonly target: string })[]
  readonly tmpfs: readonly string[]
  readonly restart: string
  readonly mem_limit: string
  readonly memswap_limit: string
  readonly pids_limit: number
  readonly cap_add?: readonly string[]
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly init: boolean
  readonly healthcheck: { readonly test: readonly string[]; readonly retries: number }
  readonly logging: { readonly driver: string; readonly options: Readonly<Record<string, string>> }
}

const definition = await loadDefinition(repository)

describe('docker-compose', () => {
  it.each([undefined, 'branch', 'campus', 'datacentre'])(
    'reads compose/appliance.yaml untouched and means by it what Slipway means (profile %s)',
    async (name) => {
      const variables = name === undefined ? {} : profileVariables(await loadProfile(definition, name))
      const { stdout } = await execa(
        'docker-compose',
        ['-f', path.join('compose', 'appliance.yaml'), 'config'],
        { cwd: repository, env: { PATH: process.env.PATH, ...variables }, extendEnv: false },
      )
      const printed = parse(stdout) as { services: Record<string, Printed>; volumes: Record<string, unknown> }
      const compose = await loadCompose(definition, variables)

      expect(
        Object.fromEntries(
          Object.entries(printed.services).map(([key, service]) => [key, fromPrinted(service)]),
        ),
      ).toEqual(Object.fromEntries(compose.services.map((service) => [service.name, fromParsed(service)])))
      expect(Object.keys(printed.volumes)).toEqual(compose.volumes.map(({ key }) => key))
    },
  )
})

function fromPrinted(service: Printed) {
  return {
    image: service.image,
    command: service.command,
    user: service.user,
    environment: service.environment,
    ports: service.ports.map((port) =>
      typeof port === 'string' ? port : `${port.published}:${port.target}/${port.protocol}`,
    ),
    mounts: (service.volumes ?? []).map((mount) =>
      typeof mount === 'string' ? mount.replace(/:rw$/, '') : `${mount.source}:${mount.target}`,
    ),
    tmpfs: service.tmpfs,
    restart: service.restart,
    memory: [parseSize(service.mem_limit), parseSize(service.memswap_limit)],
    pids: service.pids_limit,
    capabilities: [service.cap_drop, service.cap_add ?? []],
    security: service.security_opt,
    init: service.init,
    health: [service.healthcheck.test, service.healthcheck.retries],
    logging: service.logging,
  }
}

function fromParsed(service: ComposeService) {
  return {
    image: service.image,
    command: service.command,
    user: service.user,
    environment: service.environment,
    ports: service.ports.map(
      ({ hostAddress, published, target, protocol }) => `${hostAddress}:${published}:${target}/${protocol}`,
    ),
    mounts: service.mounts.map(({ source, target }) => `${source}:${target}`),
    tmpfs: service.tmpfs.map(({ target, options }) => `${target}:${options}`),
    restart: service.restart.name,
    memory: [service.memory, service.memorySwap],
    pids: service.pidsLimit,
    capabilities: [service.capDrop, service.capAdd],
    security: service.securityOpt,
    init: service.init,
    health: [service.healthcheck?.test, service.healthcheck?.retries],
    logging: service.logging,
  }
}
