import { connectEngine } from '../../src/engine/connect.ts'
import type { ContainerDocument, ContainerSpec } from '../../src/engine/documents.ts'
import type { Engine, NetworkSpec } from '../../src/engine/engine.ts'
import { tarOfFile } from '../../src/host/small-file.ts'
import { builtImage } from './built-image.ts'
import { importNewestEngine, loadEngine26 } from './engine-images.ts'
import { makeScratch } from './scratch.ts'
import { until } from './until.ts'

const label = { 'io.slipway.test': 'inner-engine' }

/** A Docker Engine in a container of the host's Engine: a test may kill it, or fill its disk. */
export interface InnerEngine {
  /** DOCKER_HOST for the command line. */
  readonly env: NodeJS.ProcessEnv & { readonly DOCKER_HOST: string }
  readonly engine: Engine
  /** What runs a command as on a host of its own, with this Engine at the socket where a host's Engine is. */
  readonly inside: readonly string[]
  /** Ends dockerd as a crash would; the container starts it again, and the promise waits until it answers. */
  restart(): Promise<void>
  kill(): Promise<void>
  answers(): Promise<void>
  remove(): Promise<void>
}

export interface EngineOptions {
  /** Gives it a small disk of its own in memory; bytes. */
  readonly disk?: number
  /** Its daemon.json. */
  readonly daemon?: Readonly<Record<string, unknown>>
  /** Files of /etc/docker: with ca.pem, cert.pem and key.pem it speaks TLS, and asks for a certificate. */
  readonly files?: Readonly<Record<string, string>>
  /** Whether it listens on TCP, or on a socket alone. */
  readonly tcp?: boolean
  /** What its clients need beside the address. */
  readonly env?: NodeJS.ProcessEnv
  /** Where its packages and layers are kept; by default those of the running tests. */
  readonly cacheDirectory?: string
}

/** Builds Engine 26.1 with Slipway from trixie's packages, loads it and starts it. */
export async function startEngine26(options: EngineOptions = {}): Promise<InnerEngine> {
  const outer = await connectEngine()
  const image = await loadEngine26(outer, options.cacheDirectory ?? builtImage().cacheDirectory)
  return startEngine(outer, image, options)
}

/** Starts the newest Engine that Debian has: its packages from sid, unpacked as they are. */
export async function startNewestEngine(options: EngineOptions = {}): Promise<InnerEngine> {
  const outer = await connectEngine()
  return startEngine(outer, await importNewestEngine(), options)
}

async function startEngine(outer: Engine, image: string, options: EngineOptions): Promise<InnerEngine> {
  const { tcp = true, files = {}, daemon = {} } = options
  const sockets = await makeScratch('inner-engine')
  const name = `slipway-test-engine-${process.pid}-${Date.now()}`
  await outer.networks.create({ ...plainNetwork, name })
  const id = await outer.containers.create(name, engineSpec(image, options, sockets.path, name))
  const remove = async (): Promise<void> => {
    await outer.containers.remove(id)
    await outer.networks.remove(name)
    // Another test's Engine may run from it.
    await outer.images.remove(image).catch(() => {})
    await sockets.remove()
  }
  let env: InnerEngine['env'] = { ...options.env, DOCKER_HOST: `unix://${sockets.path}/docker.sock` }
  const answers = async (): Promise<void> => {
    await until(
      'the Engine in a container answers',
      () => connectEngine({ ...process.env, ...env }).catch(() => undefined),
      60_000,
    )
  }
  try {
    for (const [file, text] of Object.entries({ 'daemon.json': JSON.stringify(daemon), ...files })) {
      await outer.containers.putArchive(id, '/etc/docker', tarOfFile(file, text))
    }
    await outer.containers.start(id)
    const port = (await outer.containers.list(label)).find((one) => one.id === id)?.ports[0]?.port
    if (tcp) env = { ...env, DOCKER_HOST: `tcp://127.0.0.1:${port}` }
    await answers()
  } catch (error) {
    const words = await outer.containers.logs(id, 20)
    await remove()
    throw new Error(`${(error as Error).message}\n${words}`)
  }
  const kill = async (): Promise<void> => {
    await outer.containers.exec(id, ['sh', '-c', 'kill -9 $(cat /run/docker.pid)'])
  }
  return {
    env,
    engine: await connectEngine({ ...process.env, ...env }),
    inside: enter((await outer.containers.inspect(id))!, sockets.path),
    kill,
    answers,
    restart: async () => {
      await kill()
      await answers()
    },
    remove,
  }
}

/**
 * The container's network and processes are this command's own; its files are the host's, but for the Engine's socket
 * and folder. So what the Engine says of paths, processes and ports holds for the command as it does on a host.
 */
function enter({ State, Mounts }: ContainerDocument, sockets: string): string[] {
  const data = Mounts.find((one) => one.Destination === '/var/lib/docker')?.Source
  const script = [
    'mount -t proc proc /proc',
    'mount --bind "$0/docker.sock" /run/docker.sock',
    ...(data ? [`mount --bind '${data}' /var/lib/docker`] : []),
    'exec "$@"',
  ]
  return [
    ...['nsenter', '--target', String(State.Pid), '--net', '--pid', '--'],
    ...['unshare', '--mount', '--propagation', 'private', '--'],
    ...['sh', '-c', script.join(' && '), sockets],
  ]
}

/** All capabilities but those that a container host itself may lack: --privileged would ask for every one. */
const capabilities = [
  ...[
    'AUDIT_CONTROL',
    'AUDIT_READ',
    'AUDIT_WRITE',
    'BLOCK_SUSPEND',
    'CHOWN',
    'DAC_OVERRIDE',
    'DAC_READ_SEARCH',
  ],
  ...['FOWNER', 'FSETID', 'IPC_LOCK', 'IPC_OWNER', 'KILL', 'LEASE', 'LINUX_IMMUTABLE', 'MKNOD', 'NET_ADMIN'],
  ...['NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYSLOG'],
  ...[
    'SYS_ADMIN',
    'SYS_BOOT',
    'SYS_CHROOT',
    'SYS_MODULE',
    'SYS_NICE',
    'SYS_PACCT',
    'SYS_PTRACE',
    'SYS_RAWIO',
  ],
  ...['SYS_TIME', 'SYS_TTY_CONFIG', 'WAKE_ALARM'],
]

const plainNetwork: Omit<NetworkSpec, 'name'> = {
  driver: 'bridge',
  options: {},
  labels: label,
  internal: false,
  attachable: false,
  ipv6: false,
  pools: [],
}

/** What the Engine port has no word for is given all the same: the body goes to the Engine as it stands. */
function engineSpec(image: string, options: EngineOptions, sockets: string, network: string): ContainerSpec {
  const { disk, files = {}, tcp = true } = options
  const HostConfig = {
    NetworkMode: network,
    Init: true,
    CapAdd: capabilities,
    SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
    MaskedPaths: [],
    ReadonlyPaths: [],
    CgroupnsMode: 'host',
    Binds: ['/sys/fs/cgroup:/sys/fs/cgroup:rw', `${sockets}:/srv/engine`],
    Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }],
    PortBindings: { '2375/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    Tmpfs: { '/run': 'mode=0755', ...(disk ? { '/var/lib/docker': `size=${disk}` } : {}) },
  }
  const pem = (name: string): string => `/etc/docker/${name}.pem`
  const tls = files['ca.pem']
    ? ['--tlsverify', `--tlscacert=${pem('ca')}`, `--tlscert=${pem('cert')}`, `--tlskey=${pem('key')}`]
    : ['--tls=false']
  return {
    Image: image,
    Cmd: [
      ...['/usr/lib/engine/start', '-H', 'unix:///srv/engine/docker.sock'],
      ...(tcp ? ['-H', 'tcp://0.0.0.0:2375', ...tls] : []),
    ],
    Labels: label,
    ExposedPorts: { '2375/tcp': {} },
    ...(disk ? {} : { Volumes: { '/var/lib/docker': {} } }),
    HostConfig,
  }
}
