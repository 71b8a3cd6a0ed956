import { parseCompose } from '../../../src/definition/compose-parse.ts'
import type { HostState } from '../../../src/host/state.ts'
import type { Step } from '../../../src/host/step.ts'
import { type HostTarget, targetHost } from '../../../src/host/target.ts'

export const composeText = `
services:
  dns:
    image: acme:1.0.0
    ports: ["53:53/udp"]
    healthcheck: { test: [CMD, "true"], interval: 1s, timeout: 1s, retries: 3 }
  optimiser:
    image: acme:1.0.0
    depends_on: { dns: { condition: service_healthy } }
    mem_limit: 64m
    pids_limit: 64
    volumes: ["cache:/var/spool/cache"]
    ports: ["3128:3128"]
    healthcheck: { test: [CMD, "true"], interval: 1s, timeout: 1s, retries: 3 }
volumes:
  cache: {}
`

export const emptyHost: HostState = {
  name: 'acme',
  images: [],
  networks: [],
  volumes: [],
  containers: [],
  helpers: [],
  foreign: { containers: [], networks: [], volumes: [], ports: [] },
}

export interface Variant {
  readonly version?: string
  readonly compose?: string
  readonly image?: string
}

export function sampleTarget({
  version = '1.0.0',
  compose = composeText,
  image = 'a',
}: Variant = {}): HostTarget {
  const definition = { name: 'acme', version, composeFile: '/product/compose/appliance.yaml' }
  return targetHost(
    definition,
    parseCompose(compose, {}),
    { reference: `acme:${version}`, ids: [`sha256:${image}`], size: 1000 },
    'acme',
    'branch',
  )
}

/** Waits a minute for a service without a health check. */
export function waitFor(service: string): Step {
  return {
    action: 'wait-healthy',
    service,
    name: `acme-${service}-1`,
    hasHealthCheck: false,
    patience: 60_000,
    reason: '',
  }
}
