import { Agent } from 'node:https'
import type Docker from 'dockerode'
import { exitCodes, SlipwayError } from '../lib/errors.ts'
import { negotiateApi } from './api-version.ts'
import type { Call } from './call.ts'
import { containersOf } from './containers.ts'
import { measureDisk } from './disk-usage.ts'
import { createClient } from './dockerode.ts'
import { type Endpoint, findEndpoint, type Machine, thisMachine } from './endpoint.ts'
import type { Engine, EngineInfo } from './engine.ts'
import { translateError } from './errors.ts'
import { readEvents } from './events.ts'
import { guarded } from './guarded.ts'
import { imagesOf } from './images.ts'
import { networksOf } from './networks.ts'
import { sshAgent } from './ssh-agent.ts'
import { volumesOf } from './volumes.ts'

/**
 * Reaches the Engine that the environment names (see `findEndpoint`) and settles the API version with it.
 * Throws `no-engine`, `engine-permission`, `engine-tls`, `engine-ssh`, `api-too-old`, `not-linux` among others, with exit
 * code 3.
 */
export async function connectEngine(
  env: NodeJS.ProcessEnv = process.env,
  machine: Machine = thisMachine,
): Promise<Engine> {
  const endpoint = findEndpoint(env, machine)
  const call: Call = async (run) => {
    try {
      return await run()
    } catch (error) {
      throw translateError(error, endpoint)
    }
  }
  const options = clientOptions(endpoint, env)
  const offered = await call(() => createClient(options).version())
  if (typeof offered?.ApiVersion !== 'string') {
    throw new SlipwayError(
      'not-an-engine',
      `What answers at ${endpoint.address} (from ${endpoint.source}) is no Docker Engine; correct the address, then run the same command again.`,
      { exitCode: exitCodes.preflightFailed },
    )
  }
  const api = negotiateApi(offered.ApiVersion, offered.MinAPIVersion, offered.Version)
  if (offered.Os !== 'linux') {
    throw new SlipwayError(
      'not-linux',
      `The Docker Engine at ${endpoint.address} runs ${offered.Os} containers; switch Docker Desktop to Linux containers, then run the same command again.`,
      { exitCode: exitCodes.preflightFailed },
    )
  }
  const docker = createClient({ ...options, version: `v${api}` })
  return {
    endpoint,
    version: { engine: offered.Version, api, os: offered.Os, architecture: offered.Arch },
    info: async () => readInfo(await call(() => docker.info())),
    diskUsage: () => call(() => measureDisk(() => docker.df())),
    events: (query = {}) => guarded(call, readEvents(docker, query)),
    images: imagesOf(docker, call),
    containers: containersOf(docker, call),
    volumes: volumesOf(docker, call),
    networks: networksOf(docker, call),
  }
}

/** What the endpoint says, in the transport's words. */
function clientOptions(endpoint: Endpoint, env: NodeJS.ProcessEnv): Docker.DockerOptions {
  const { tls } = endpoint
  const options = {
    socketPath: endpoint.socketPath,
    // The transport makes an address of it, and takes "fd00:" for a protocol.
    host: endpoint.host?.includes(':') ? `[${endpoint.host}]` : endpoint.host,
    port: endpoint.port,
    protocol: tls ? 'https' : 'http',
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key,
    ...(tls?.skipVerify && { agent: new Agent({ rejectUnauthorized: false }) }),
    ...(endpoint.transport === 'ssh' && { agent: sshAgent(endpoint, env) }),
  }
  return options as Docker.DockerOptions
}

function readInfo(info: {
  Name: string
  OperatingSystem: string
  NCPU: number
  MemTotal: number
  CgroupVersion?: string
  Driver: string
  DriverStatus?: [string, string][] | null
  Warnings?: string[] | null
  SystemTime?: string
  DockerRootDir?: string
  Containerd?: { Address: string } | null
  MemoryLimit?: boolean
  SwapLimit?: boolean
  LiveRestoreEnabled?: boolean
  SecurityOptions?: string[] | null
}): EngineInfo {
  const containerdStore = (info.DriverStatus ?? []).some(([key]) => key === 'driver-type')
  return {
    hostName: info.Name,
    operatingSystem: info.OperatingSystem,
    cpus: info.NCPU,
    memory: info.MemTotal,
    cgroupVersion: info.CgroupVersion === '2' ? '2' : '1',
    storageDriver: info.Driver,
    containerdStore,
    warnings: info.Warnings ?? [],
    time: info.SystemTime ?? '',
    rootDirectory: info.DockerRootDir ?? '',
    // One that the Engine starts itself has its folder below the Engine's; the host's own does not say where.
    ...(containerdStore &&
      info.Containerd?.Address === '/run/containerd/containerd.sock' && {
        imageDirectory: '/var/lib/containerd',
      }),
    memoryLimit: info.MemoryLimit ?? false,
    swapLimit: info.SwapLimit ?? false,
    liveRestore: info.LiveRestoreEnabled ?? false,
    rootless: (info.SecurityOptions ?? []).some((option) => option.split(',').includes('name=rootless')),
  }
}
