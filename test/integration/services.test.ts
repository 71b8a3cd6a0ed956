import { createHash } from 'node:crypto'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadDefinition } from '../../src/definition/load.ts'
import { builtImage } from '../support/built-image.ts'
import { openServiceOrigin, type ServiceOrigin } from '../support/service-origin.ts'
import { slipway } from '../support/slipway.ts'

const project = `slipway-services-${process.pid}`
const strangers = `${project}-strangers`
const secure = `${project}-secure`
const dns = `${project}-dns-1`
const optimiser = `${project}-optimiser-1`
const dnsPort = '24053'
const proxy = 'http://127.0.0.1:24128'

let image: string
let origin: ServiceOrigin
/** The host as the containers see it. */
let host: string

const docker = async (...parameters: string[]): Promise<string> =>
  (await execa('docker', parameters, { stdin: 'ignore' })).stdout

const inspect = (container: string, format: string): Promise<string> =>
  docker('inspect', '--format', format, container)

beforeAll(async () => {
  const { layoutDirectory, productDirectory } = builtImage()
  const { name, version } = await loadDefinition(productDirectory)
  image = `${name}:${version}`
  origin = await openServiceOrigin(5_000_000, '192.0.2.80')
  const installed = await slipway([
    ...['-C', productDirectory, 'install', layoutDirectory, '--name', project, '--profile', 'branch'],
    ...['--set', `dns.port=${dnsPort}`, '--set', 'optimiser.port=24128'],
  ])
  expect(installed.exitCode, installed.stderr).toBe(0)
  host = await inspect(dns, '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}')
})

afterAll(async () => {
  origin?.close()
  await execa('docker', ['rm', '--force', secure], { reject: false })
  await slipway(['uninstall', '--name', project, '--yes'])
  await execa('docker', ['network', 'rm', strangers], { reject: false })
})

async function dig(...parameters: string[]): Promise<string> {
  const answer = await execa('dig', ['+time=2', '+tries=1', ...parameters], { reject: false })
  return answer.stdout
}

/** Fetches through the proxy. `status` is the server's or Squid's, and that of CONNECT; 000 where there was none. */
async function fetchVia(via: string, url: string) {
  const told = '%{stderr}%{http_code} %{http_connect}\n%header{cache-status}'
  const { stdout, stderr } = await execa(
    'curl',
    ['-s', '-k', '--max-time', '20', '-x', via, '-w', told, url],
    {
      reject: false,
      encoding: 'buffer',
    },
  )
  const [status, cache] = Buffer.from(stderr).toString().split('\n')
  return { status, cache, sha256: createHash('sha256').update(stdout).digest('hex') }
}

describe('the DNS cache', () => {
  it('asks a name of its server once, and then answers from the cache', async () => {
    await docker(
      'exec',
      dns,
      'sh',
      '-c',
      `echo server=/wan.test/${host}#${origin.dnsPort} >>/run/dnsmasq/servers`,
    )
    await docker('kill', '--signal', 'HUP', dns)
    await expect
      .poll(() => dig(`@127.0.0.1`, '-p', dnsPort, '+short', 'ready.wan.test'), { timeout: 20_000 })
      .toBe('192.0.2.80')
    origin.asked.names = 0
    expect(await dig('@127.0.0.1', '-p', dnsPort, '+short', 'files.wan.test')).toBe('192.0.2.80')
    expect(await dig('@127.0.0.1', '-p', dnsPort, '+short', '+tcp', 'files.wan.test')).toBe('192.0.2.80')
    expect(origin.asked.names).toBe(1)
  })

  it('keeps names without a domain and private addresses at home', async () => {
    origin.asked.names = 0
    expect(await dig('@127.0.0.1', '-p', dnsPort, 'intranet')).toMatch('status: NXDOMAIN')
    expect(await dig('@127.0.0.1', '-p', dnsPort, '-x', '10.1.2.3')).toMatch('status: NXDOMAIN')
    expect(origin.asked.names).toBe(0)
  })

  it('is healthy only while dnsmasq answers', async () => {
    const health = () => execa('docker', ['exec', dns, '/usr/lib/appliance/dns-health'], { reject: false })
    const signal = (name: string) =>
      docker('exec', '--user', 'dnsmasq', dns, 'sh', '-c', `kill -${name} $(pidof dnsmasq)`)
    expect(await health()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^dnsmasq answers; cache up to \d+ of 5000 names$/),
    })
    await signal('STOP')
    expect(await health()).toMatchObject({ exitCode: 1, stdout: 'dnsmasq does not answer' })
    await signal('CONT')
    expect(await health()).toMatchObject({ exitCode: 0 })
  })

  it('does not start where no packet filter would keep strangers out', async () => {
    const started = await execa(
      'docker',
      [
        'run',
        '--rm',
        '--cap-drop',
        'ALL',
        '--env',
        'ALLOWED_NETWORKS=10.0.0.0/8',
        image,
        '/usr/lib/appliance/dns-start',
      ],
      { reject: false },
    )
    expect(started.exitCode).toBe(1)
    expect(started.stderr).toContain(
      'dns: the kernel takes no packet filter, so nothing would keep strangers out; not started. The host needs nf_tables, or a profile whose allowedNetworks are 0.0.0.0/0 and ::/0.',
    )
  })
})

describe('the optimiser', () => {
  it('fetches an object once, and then gives it from the cache', async () => {
    const url = `http://${host}:${origin.httpPort}/object`
    const sha256 = createHash('sha256').update(origin.body).digest('hex')
    origin.asked.objects = 0
    const first = await fetchVia(proxy, url)
    const second = await fetchVia(proxy, url)
    expect([first, second]).toEqual([
      { status: '200 000', cache: expect.not.stringContaining(';hit'), sha256 },
      { status: '200 000', cache: expect.stringContaining(';hit'), sha256 },
    ])
    expect(origin.asked.objects).toBe(1)
  })

  it('killed, as it is where its container is replaced, still has what it had written to the disk', async () => {
    const url = `http://${host}:${origin.httpPort}/kept`
    const sha256 = createHash('sha256').update(origin.body).digest('hex')
    const cached = async (): Promise<number> => {
      const told = await docker('exec', optimiser, '/usr/lib/appliance/optimiser-health')
      return Number(/cache (\d+) of/.exec(told)?.[1])
    }
    const before = await cached()
    await fetchVia(proxy, url)
    await expect.poll(cached).toBeGreaterThan(before + 4_000_000)
    await docker('stop', '--time', '0', optimiser)
    expect(await inspect(optimiser, '{{.State.ExitCode}}')).toBe('137')
    await docker('start', optimiser)
    origin.asked.objects = 0
    const again = async () => (await fetchVia(proxy, url)).status
    await expect.poll(again, { timeout: 10_000 }).toBe('200 000')
    expect(await fetchVia(proxy, url)).toEqual({
      status: '200 000',
      cache: expect.stringContaining(';hit'),
      sha256,
    })
    expect(origin.asked.objects).toBe(0)
  })

  it('lets CONNECT through to port 443 and to no other', async () => {
    await docker(
      ...['run', '--detach', '--name', secure, '--network', `${project}_default`, image, 'sh', '-c'],
      'cd /tmp && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -subj /CN=x -days 2 && openssl s_server -accept 443 -key k -cert c -www',
    )
    const address = await inspect(secure, '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
    await expect
      .poll(async () => (await fetchVia(proxy, `https://${address}/`)).status, { timeout: 15_000 })
      .toBe('200 200')
    expect((await fetchVia(proxy, `https://${address}:8443/`)).status).toBe('000 403')
  })

  it('is no way to the container itself, to its neighbours on the link, or to its own insides', async () => {
    const statuses = []
    for (const url of [
      'http://127.0.0.1:3128/',
      'http://169.254.169.254/latest/meta-data/',
      'http://optimiser.appliance.internal:3128/squid-internal-mgr/info',
      `http://${host}:25/`,
    ])
      statuses.push((await fetchVia(proxy, url)).status)
    expect(statuses).toEqual(['403 000', '403 000', '403 000', '403 000'])
  })

  it('divides its memory limit anew when it is told to', async () => {
    const settings = () => docker('exec', optimiser, 'grep', '-E', '^cache_', '/run/squid/settings.conf')
    // Squid's own word for it, in MB: what it holds, as a part of the whole.
    const capacity = async (): Promise<number> => {
      const info = await docker('exec', optimiser, 'squidclient', '-h', '127.0.0.1', 'mgr:info')
      const kilobytes = Number(/Storage Mem size:\s+(\d+) KB/.exec(info)?.[1])
      const percent = Number(/Storage Mem capacity:\s+([\d.]+)% used/.exec(info)?.[1])
      return ((kilobytes / percent) * 100) / 1024
    }
    expect(await capacity()).toBeGreaterThan(200)
    expect(await settings()).toBe('cache_mem 289 MB\ncache_dir aufs /var/spool/squid 2048 16 256')
    await docker('update', '--memory', '256m', '--memory-swap', '256m', optimiser)
    expect(await docker('exec', optimiser, '/usr/lib/appliance/optimiser-reload')).toBe(
      'optimiser: memory 256 MB: 118 MB for objects; disk cache 2048 MB',
    )
    expect(await settings()).toBe('cache_mem 118 MB\ncache_dir aufs /var/spool/squid 2048 16 256')
    await expect.poll(capacity, { timeout: 10_000 }).toBeLessThan(150)
    await docker('update', '--memory', '512m', '--memory-swap', '512m', optimiser)
    await docker('exec', optimiser, '/usr/lib/appliance/optimiser-reload')
  })

  it.each([
    [
      '64m',
      'CACHE=1t',
      'optimiser: a disk cache of 1048576 MB needs more memory than 64 MB for its index; using 364 MB.',
    ],
    [
      '32m',
      'CACHE=2g',
      'optimiser: a memory limit of 32 MB is too small; it must be at least 64 MB. Raise it in the profile.',
    ],
    [
      '512m',
      'CACHE=1m',
      'optimiser: a disk cache of 1 MB is too small; it must be at least 16 MB. Correct the profile.',
    ],
    ['512m', 'CACHE=lots', 'optimiser: CACHE is "lots"; it must be a size such as 2g. Correct the profile.'],
    [
      '512m',
      'ALLOWED_NETWORKS=all',
      'optimiser: ALLOWED_NETWORKS holds "all"; it must be a network such as 10.0.0.0/8. Correct the profile.',
    ],
    [
      '512m',
      'UPSTREAM_DNS=dns.example',
      'optimiser: UPSTREAM_DNS holds "dns.example"; it must be an IP address. Correct the profile.',
    ],
  ])('with %s of memory and %s says what is wrong', async (memory, variable, sentence) => {
    const { stderr } = await execa('docker', [
      ...[
        'run',
        '--rm',
        '--memory',
        memory,
        '--user',
        'proxy',
        '--tmpfs',
        '/run/squid:uid=13',
        '--env',
        variable,
      ],
      ...[image, 'sh', '-c', '/usr/lib/appliance/optimiser-settings || true'],
    ])
    expect(stderr).toBe(sentence)
  })
})

describe('both services', () => {
  it('refuse a client outside the allowed networks', async () => {
    await docker('network', 'create', '--subnet', '203.0.113.0/24', strangers)
    await docker('network', 'connect', strangers, dns)
    await docker('network', 'connect', strangers, optimiser)
    const address = async (container: string) =>
      (await inspect(container, `{{(index .NetworkSettings.Networks "${strangers}").IPAddress}}`)).trim()
    const [name, cache] = [await address(dns), await address(optimiser)]
    expect(await dig(`@${name}`, 'dns.appliance.internal')).toMatch('connection refused')
    expect(await dig(`@${name}`, '+tcp', 'dns.appliance.internal')).toMatch('connection refused')
    const url = `http://${host}:${origin.httpPort}/object`
    expect((await fetchVia(`http://${cache}:3128`, url)).status).toBe('403 000')
    await docker('network', 'disconnect', strangers, dns)
    await docker('network', 'disconnect', strangers, optimiser)
  })

  it('run as users of their own, with no capability but the one for port 53', async () => {
    const facts = async (container: string, program: string) => {
      const status = await docker('exec', container, 'sh', '-c', `cat /proc/$(pidof ${program})/status`)
      const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1]
      return { uid: field('Uid'), capabilities: field('CapEff'), noNewPrivileges: field('NoNewPrivs') }
    }
    expect(await facts(dns, 'dnsmasq')).toEqual({
      uid: '999',
      capabilities: '0000000000000400',
      noNewPrivileges: '1',
    })
    expect(await facts(optimiser, 'squid')).toEqual({
      uid: '13',
      capabilities: '0000000000000000',
      noNewPrivileges: '1',
    })
  })

  it('stop when they are asked to, before they are killed', async () => {
    for (const container of [dns, optimiser]) {
      const started = performance.now()
      await docker('stop', '--time', '10', container)
      expect(performance.now() - started).toBeLessThan(9000)
      expect(await inspect(container, '{{.State.ExitCode}}')).toBe('0')
      await docker('start', container)
    }
  })
})
