import { cp } from 'node:fs/promises'
import path from 'node:path'
import { connectEngine } from '../../src/engine/connect.ts'
import type { ContainerSpec } from '../../src/engine/documents.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { loadImage } from '../../src/engine/load-image.ts'
import { readLayout } from '../../src/image/read-layout.ts'
import { silent } from '../../src/lib/progress.ts'
import { builtImage } from './built-image.ts'
import { makeScratch } from './scratch.ts'
import { repository, slipway } from './slipway.ts'
import { until } from './until.ts'

const reference = 'slipway-test-engine:26.1.5'
const label = { 'io.slipway.test': 'engine-26' }

/** A Docker Engine 26.1 in a container of the host's Engine: a test may kill it, or fill its disk. */
export interface InnerEngine {
  /** DOCKER_HOST for the command line. */
  readonly env: { readonly DOCKER_HOST: string }
  readonly engine: Engine
  /** Ends dockerd as a crash would; the container starts it again, and the promise waits until it answers. */
  restart(): Promise<void>
  kill(): Promise<void>
  answers(): Promise<void>
  remove(): Promise<void>
}

/**
 * Builds the Engine's image with Slipway from trixie's packages, loads it and starts it. `disk` in bytes gives it a
 * small disk of its own in memory.
 */
export async function startEngine26(options: { readonly disk?: number } = {}): Promise<InnerEngine> {
  const outer = await connectEngine()
  await loadEngineImage(outer)
  const id = await outer.containers.create(
    `slipway-test-engine-${process.pid}-${Date.now()}`,
    engineSpec(options.disk),
  )
  await outer.containers.start(id)
  const port = (await outer.containers.list(label)).find((one) => one.id === id)?.ports[0]?.port
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}` }
  const answers = async (): Promise<void> => {
    await until(
      'the Engine in a container answers',
      () => connectEngine({ ...process.env, ...env }).catch(() => undefined),
      60_000,
    )
  }
  const remove = async (): Promise<void> => {
    await outer.containers.remove(id)
    // Another test's Engine may run from it.
    await outer.images.remove(reference).catch(() => {})
  }
  try {
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
    kill,
    answers,
    restart: async () => {
      await kill()
      await answers()
    },
    remove,
  }
}

async function loadEngineImage(outer: Engine): Promise<void> {
  const scratch = await makeScratch('engine-26')
  try {
    const product = path.join(scratch.path, 'test', 'support', 'engine-26')
    await cp(path.join(repository, 'test', 'support', 'engine-26'), product, { recursive: true })
    await cp(path.join(repository, 'images', 'keyrings'), path.join(scratch.path, 'images', 'keyrings'), {
      recursive: true,
    })
    const layout = path.join(scratch.path, 'layout')
    const run = (...parameters: string[]) =>
      slipway(['-C', product, ...parameters], { env: { SLIPWAY_CACHE: builtImage().cacheDirectory } })
    let built = await run('build', '--out', layout)
    if (built.exitCode !== 0 && /no longer has .*slipway lock --update/.test(built.stderr)) {
      await run('lock', '--update')
      built = await run('build', '--out', layout)
    }
    if (built.exitCode !== 0) throw new Error(`Building the Engine's image failed:\n${built.stderr}`)
    await loadImage(outer, await readLayout(layout, 'linux/amd64'), [reference], silent)
  } finally {
    await scratch.remove()
  }
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

/** What the Engine port has no word for is given all the same: the body goes to the Engine as it stands. */
function engineSpec(disk: number | undefined): ContainerSpec {
  const HostConfig = {
    Init: true,
    CapAdd: capabilities,
    SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
    MaskedPaths: [],
    ReadonlyPaths: [],
    CgroupnsMode: 'host',
    Binds: ['/sys/fs/cgroup:/sys/fs/cgroup:rw'],
    Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }],
    PortBindings: { '2375/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
    Tmpfs: { '/run': 'mode=0755', ...(disk ? { '/var/lib/docker': `size=${disk}` } : {}) },
  }
  return {
    Image: reference,
    Cmd: ['/usr/lib/engine/start'],
    Labels: label,
    ExposedPorts: { '2375/tcp': {} },
    ...(disk ? {} : { Volumes: { '/var/lib/docker': {} } }),
    HostConfig,
  }
}
