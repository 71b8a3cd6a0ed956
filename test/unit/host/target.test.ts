import { describe, expect, it } from 'vitest'
import { composeText, sampleTarget } from './sample.ts'

describe('targetHost', () => {
  it('says everything about a container that the Engine is to be told', () => {
    const container = sampleTarget().containers.find((one) => one.service === 'optimiser')!
    expect(container.spec).toEqual({
      Image: 'acme:1.0.0',
      Env: [],
      ExposedPorts: { '3128/tcp': {} },
      Volumes: { '/var/spool/cache': {} },
      Healthcheck: { Test: ['CMD', 'true'], Interval: 1e9, Timeout: 1e9, Retries: 3 },
      Labels: {
        'io.slipway.appliance': 'acme',
        'io.slipway.product': 'acme',
        'io.slipway.release': '1.0.0',
        'io.slipway.component': 'optimiser',
        'io.slipway.profile': 'branch',
        'io.slipway.contents': '{}',
        'io.slipway.image-ids': '["sha256:a"]',
        'io.slipway.target': container.hash,
        'com.docker.compose.project': 'acme',
        'com.docker.compose.service': 'optimiser',
        'com.docker.compose.container-number': '1',
        'com.docker.compose.oneoff': 'False',
        'com.docker.compose.depends_on': 'dns:service_healthy:false',
        'com.docker.compose.project.config_files': 'compose/appliance.yaml',
        'com.docker.compose.config-hash': container.hash,
      },
      HostConfig: {
        NetworkMode: 'acme_default',
        Binds: ['acme_cache:/var/spool/cache:rw'],
        PortBindings: { '3128/tcp': [{ HostIp: '', HostPort: '3128' }] },
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        ReadonlyRootfs: false,
        Memory: 67_108_864,
        PidsLimit: 64,
      },
      NetworkingConfig: { EndpointsConfig: { acme_default: { Aliases: ['optimiser'] } } },
    })
  })

  it('says on a container what its volumes hold, which another release may call otherwise', () => {
    const contents = (holds: string): string | undefined =>
      sampleTarget({ compose: composeText.replace('cache: {}', `cache: { x-slipway: { holds: ${holds} } }`) })
        .containers.map(({ spec }) => spec.Labels['io.slipway.contents'])
        .find((label) => label !== undefined)
    expect([contents('cache'), contents('settings')]).toEqual(['{"cache":"cache"}', '{"cache":"settings"}'])
  })

  it('waits for a health check as long as the Engine would, which takes a time of 0 for none given', () => {
    const patience = (times: string) =>
      sampleTarget({ compose: composeText.replaceAll('interval: 1s, timeout: 1s', times) }).containers[0]!
        .patience
    expect([patience('interval: 1s, timeout: 2s'), patience('interval: 0s, timeout: 0s')]).toEqual([
      19_000, 190_000,
    ])
  })

  it('lets new Engines look often at what has only just started', () => {
    const compose = composeText.replaceAll('interval: 1s,', 'interval: 1s, start_period: 9s,')
    expect(sampleTarget({ compose }).containers[0]!.spec.Healthcheck).toEqual({
      Test: ['CMD', 'true'],
      Interval: 1e9,
      Timeout: 1e9,
      StartPeriod: 9e9,
      StartInterval: 250e6,
      Retries: 3,
    })
  })

  it('asks for whole nanoseconds, whatever fraction of a second the file says', () => {
    const compose = composeText.replaceAll('interval: 1s,', 'interval: 2.01s,')
    expect(sampleTarget({ compose }).containers[0]!.spec.Healthcheck?.Interval).toBe(2_010_000_000)
  })

  it('gives the same hash to the same service, and another to a changed one only', () => {
    const hashes = (target: ReturnType<typeof sampleTarget>) => target.containers.map(({ hash }) => hash)
    const [dns, optimiser] = hashes(sampleTarget())
    expect(hashes(sampleTarget())).toEqual([dns, optimiser])
    const [dnsAfter, optimiserAfter] = hashes(
      sampleTarget({ compose: composeText.replace('pids_limit: 64', 'pids_limit: 128') }),
    )
    expect(dnsAfter).toBe(dns)
    expect(optimiserAfter).not.toBe(optimiser)
  })

  it('starts what says that it starts slowly before the others, but after what it needs', () => {
    const slow = (service: string, seconds: number, more = '') =>
      `  ${service}: { image: acme:1.0.0, healthcheck: { test: [CMD, "true"], start_period: ${seconds}s }${more} }\n`
    const compose = `services:\n${slow('a', 5)}${slow('b', 20, ', depends_on: [d]')}${slow('c', 10)}${slow('d', 0)}  e: { image: acme:1.0.0 }\n`
    expect(sampleTarget({ compose }).containers.map(({ service }) => service)).toEqual([
      'd',
      'b',
      'c',
      'a',
      'e',
    ])
  })

  it('refuses services that depend on each other in a circle', () => {
    const compose = composeText.replace('image: acme:1.0.0', 'image: acme:1.0.0\n    depends_on: [optimiser]')
    expect(() => sampleTarget({ compose })).toThrow(
      'The services depend on each other in a circle (dns → optimiser → dns); take one depends_on out of the Compose file.',
    )
  })
})
