// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of Compose.
import { describe, expect, it } from 'vitest'
import { parseCompose } from '../../../src/definition/compose-parse.ts'
import { DefinitionError } from '../../../src/definition/problem.ts'

const minimal = { environment: {}, labels: {}, mounts: [], tmpfs: [], ports: [], networks: ['default'] }
const plain = {
  ...minimal,
  dependsOn: [],
  restart: { name: 'no' },
  capAdd: [],
  capDrop: [],
  securityOpt: [],
  init: false,
  readOnly: false,
  ulimits: [],
  sysctls: {},
}
const defaultNetwork = { key: 'default', driverOptions: {}, labels: {}, internal: false }

describe('parseCompose', () => {
  it('joins a service with an empty list of networks to the default one, as Compose does', () => {
    expect(parseCompose('services: { web: { image: a, networks: [] } }', {}).services[0]?.networks).toEqual([
      'default',
    ])
  })

  it('gives a number to a service as the file writes it', () => {
    const text =
      'services: { web: { image: a, labels: { v: 1.10 }, environment: { SITE: 00123, ID: 12345678901234567890, N: 5 } } }'
    const [web] = parseCompose(text, {}).services
    expect({ ...web!.environment, ...web!.labels }).toEqual({
      SITE: '00123',
      ID: '12345678901234567890',
      N: '5',
      v: '1.10',
    })
  })

  it('gives a service that says nothing the defaults of Compose', () => {
    expect(parseCompose('services: { web: { image: web:1 } }', {})).toEqual({
      services: [{ name: 'web', image: 'web:1', ...plain }],
      volumes: [],
      networks: [defaultNetwork],
    })
  })

  it('reads every key that Slipway runs', () => {
    const text = `
x-common: &common { init: true, cap_drop: [ALL] }
services:
  web:
    <<: *common
    image: \${IMAGE}
    command: [serve, "--port", "80"]
    entrypoint: [/start]
    user: proxy
    hostname: web.internal
    environment: { LEVEL: 3, ON: true, TEXT: "a=b" }
    labels: [one=1, two=]
    volumes: ["data:/var/lib/web", "./conf:/etc/web:ro", "C:\\\\web:/srv"]
    tmpfs: [/tmp, "/run:mode=0755,size=1m"]
    ports: ["53:53/udp", 80, "192.0.2.1:8080:80", "[2001:db8::1]:443:443/tcp"]
    networks: [inside]
    restart: on-failure:5
    mem_limit: \${MEMORY:-512m}
    memswap_limit: 1g
    pids_limit: "100"
    cap_add: [NET_ADMIN]
    security_opt: ["no-new-privileges:true"]
    read_only: "true"
    healthcheck: { test: [CMD, /health], interval: 1m30s, timeout: 3s, start_period: 500ms, retries: 4 }
    logging: { driver: json-file, options: { max-size: 10m, max-file: 3 } }
    stop_signal: SIGQUIT
    stop_grace_period: 10s
    ulimits: { nofile: 1024, core: { soft: 0, hard: 10 } }
    sysctls: { net.core.somaxconn: 1024 }
    depends_on: { db: { condition: service_healthy } }
    x-slipway: { component: web, reload: [/reload], crash-safe: true, expected: [/var/log/**] }
  db:
    image: db:1
    depends_on: []
volumes:
  data: { x-slipway: { holds: cache }, labels: { a: b } }
networks:
  inside: { internal: true, driver: bridge }
`
    expect(parseCompose(text, { IMAGE: 'web:2' })).toEqual({
      services: [
        {
          name: 'web',
          image: 'web:2',
          command: ['serve', '--port', '80'],
          entrypoint: ['/start'],
          user: 'proxy',
          hostname: 'web.internal',
          environment: { LEVEL: '3', ON: 'true', TEXT: 'a=b' },
          labels: { one: '1', two: '' },
          mounts: [
            { type: 'volume', source: 'data', target: '/var/lib/web', readOnly: false },
            { type: 'bind', source: './conf', target: '/etc/web', readOnly: true },
            { type: 'bind', source: 'C:\\web', target: '/srv', readOnly: false },
          ],
          tmpfs: [
            { target: '/tmp', options: '' },
            { target: '/run', options: 'mode=0755,size=1m' },
          ],
          ports: [
            { target: 53, protocol: 'udp', published: 53 },
            { target: 80, protocol: 'tcp' },
            { target: 80, protocol: 'tcp', published: 8080, hostAddress: '192.0.2.1' },
            { target: 443, protocol: 'tcp', published: 443, hostAddress: '2001:db8::1' },
          ],
          networks: ['inside'],
          dependsOn: [{ service: 'db', condition: 'service_healthy' }],
          restart: { name: 'on-failure', maximumRetries: 5 },
          memory: 536_870_912,
          memorySwap: 1_073_741_824,
          pidsLimit: 100,
          capAdd: ['NET_ADMIN'],
          capDrop: ['ALL'],
          securityOpt: ['no-new-privileges:true'],
          init: true,
          readOnly: true,
          healthcheck: {
            test: ['CMD', '/health'],
            interval: 90_000,
            timeout: 3000,
            startPeriod: 500,
            retries: 4,
          },
          logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } },
          stopSignal: 'SIGQUIT',
          stopGracePeriod: 10_000,
          ulimits: [
            { name: 'nofile', soft: 1024, hard: 1024 },
            { name: 'core', soft: 0, hard: 10 },
          ],
          sysctls: { 'net.core.somaxconn': '1024' },
          component: 'web',
          reload: ['/reload'],
          crashSafe: true,
          expected: ['/var/log/**'],
        },
        { name: 'db', image: 'db:1', ...plain },
      ],
      volumes: [{ key: 'data', driverOptions: {}, labels: { a: 'b' }, holds: 'cache' }],
      networks: [
        { key: 'inside', driver: 'bridge', driverOptions: {}, labels: {}, internal: true },
        defaultNetwork,
      ],
    })
  })

  it('means the same with CRLF line ends', () => {
    const text = 'services:\n  web:\n    image: web:1\n    ports: ["80:80"]\n'
    expect(parseCompose(text.replaceAll('\n', '\r\n'), {})).toEqual(parseCompose(text, {}))
  })

  const service = (line: string): string => `services:\n  web:\n    image: web:1\n    ${line}\n`

  it.each([
    [
      'an unknown key',
      service('restrat: always'),
      'services.web.restrat is unknown; did you mean restart? Known in services.web: image, command, entrypoint, user, hostname, environment, labels, volumes, tmpfs, ports, networks, depends_on, restart, mem_limit, memswap_limit, pids_limit, cap_add, cap_drop, security_opt, init, read_only, healthcheck, logging, stop_signal, stop_grace_period, ulimits, sysctls, x-slipway.',
    ],
    [
      'a bad size',
      service('mem_limit: lots'),
      'services.web.mem_limit is "lots"; it must be a size such as 512m or 2g.',
    ],
    [
      'a bad duration',
      service('stop_grace_period: 5'),
      'services.web.stop_grace_period is 5; it must be a duration such as 30s or 1m30s.',
    ],
    [
      'a command as text',
      service('command: serve --port 80'),
      'services.web.command is "serve --port 80"; it must be a list of words, such as [/usr/lib/appliance/dns-start].',
    ],
    [
      'the YAML 1.1 trap of restart: no',
      service('restart: false'),
      'services.web.restart is false; it must be "no" (in quotes), always, unless-stopped, on-failure or on-failure:5.',
    ],
    [
      'a capability with its prefix',
      service('cap_add: [cap_kill]'),
      'services.web.cap_add[0] is "cap_kill"; it must be a capability without its CAP_, such as NET_BIND_SERVICE.',
    ],
    [
      'a list that says a thing twice',
      service('cap_add: [KILL, KILL]'),
      'services.web.cap_add[1] is "KILL", which the list has already.',
    ],
    [
      'a port out of range',
      service('ports: ["99999:80"]'),
      'services.web.ports[0] has the port 99999; it must be from 1 to 65535.',
    ],
    [
      'a port that is none',
      service('ports: ["a:b"]'),
      'services.web.ports[0] is "a:b"; it must be a port such as 53:53/udp or 192.0.2.1:3128:3128.',
    ],
    [
      'pairs in none of their forms',
      service('environment: 5'),
      'services.web.environment is 5; it must be a map of names to text, or a list of NAME=text.',
    ],
    [
      'a pair that takes its value from outside',
      service('environment: [HOME]'),
      'services.web.environment[0] is "HOME"; it must be NAME=text.',
    ],
    [
      'a volume that is not declared',
      `${service('volumes: ["cash:/data"]')}volumes: { caches: }\n`,
      'services.web.volumes[0] names the volume "cash", which is not declared.',
    ],
    [
      'a network that is not declared',
      `${service('networks: [insde]')}networks: { inside: }\n`,
      'services.web.networks[0] names the network "insde", which is not declared; did you mean inside?',
    ],
    [
      'a service that is not there',
      service('depends_on: [wbe]'),
      'services.web.depends_on[0] names the service "wbe", which is not declared; did you mean web?',
    ],
    [
      'a variable without value',
      service('user: ${WHO}'),
      'services.web.user uses the variable WHO, which has no value; write ${WHO:-default} to give it one.',
    ],
  ])('refuses %s', (_, text, sentence) => {
    expect(messageOf(() => parseCompose(text, {}))).toBe(
      `compose/appliance.yaml:4: ${sentence} Correct it, then run: slipway validate`,
    )
  })

  it('refuses a file without services', () => {
    expect(messageOf(() => parseCompose('volumes: {}', {}, 'x.yaml'))).toBe(
      'x.yaml:1: services is missing; it must be a map of service names. Correct it, then run: slipway validate',
    )
  })

  it('tells every mistake, in the order of the file', () => {
    const text = 'services:\n  a: { image: 5 }\n  b: { image: b, init: maybe }\nvolums: {}\n'
    expect(messageOf(() => parseCompose(text, {}))).toBe(`3 mistakes in the definition:
  compose/appliance.yaml:2: services.a.image is 5; it must be an image reference.
  compose/appliance.yaml:3: services.b.init is "maybe"; it must be true or false.
  compose/appliance.yaml:4: volums is unknown; did you mean volumes? Known at the top: version, services, volumes, networks.
Correct them, then run: slipway validate`)
  })
})

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof DefinitionError) return error.message
    throw error
  }
  return 'nothing was refused'
}
