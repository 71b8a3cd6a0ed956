import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { badInput, errorCode } from '../lib/errors.ts'

/** Where an Engine listens, and who said so. */
export interface Endpoint {
  /** As Docker writes it: "unix:///var/run/docker.sock", "npipe:////./pipe/docker_engine", "tcp://host:2376". */
  readonly address: string
  readonly transport: 'unix' | 'npipe' | 'tcp' | 'ssh'
  /** "DOCKER_HOST", "context edge", "default". */
  readonly source: string
  /** Socket or pipe; unix and npipe only. */
  readonly socketPath?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  /** Present: TLS with these PEM files, as text. */
  readonly tls?: Tls
}

export interface Tls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Whether the Engine's own certificate is left unchecked. */
  readonly skipVerify: boolean
}

/** What `findEndpoint` looks at beside the environment; a test gives its own. */
export interface Machine {
  readonly platform: NodeJS.Platform
  readonly home: string
  /** Text of a file, undefined where it is not there. */
  readonly read: (file: string) => string | undefined
}

export const thisMachine: Machine = {
  platform: process.platform,
  home: os.homedir(),
  read: (file) => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined
      throw error
    }
  },
}

/**
 * The Engine to talk to, chosen as the Docker CLI chooses it: DOCKER_HOST, DOCKER_CONTEXT, `currentContext` of
 * config.json, then the platform's own socket or pipe. Throws `bad-docker-host`, `no-docker-context`.
 */
export function findEndpoint(env: NodeJS.ProcessEnv, machine: Machine = thisMachine): Endpoint {
  const folder = env.DOCKER_CONFIG || path.join(machine.home, '.docker')
  if (env.DOCKER_HOST) {
    const tls = env.DOCKER_TLS_VERIFY || env.DOCKER_CERT_PATH
    const files = tls ? readTls(env.DOCKER_CERT_PATH || folder, machine, !env.DOCKER_TLS_VERIFY) : undefined
    return parseEndpoint(env.DOCKER_HOST, 'DOCKER_HOST', files)
  }
  const named = env.DOCKER_CONTEXT || currentContext(folder, machine)
  if (named && named !== 'default') return readContext(folder, named, machine)
  return defaultEndpoint(machine)
}

function defaultEndpoint(machine: Machine): Endpoint {
  if (machine.platform === 'win32') return parseEndpoint('npipe:////./pipe/docker_engine', 'default')
  return parseEndpoint('unix:///var/run/docker.sock', 'default')
}

/** Reads one address in Docker's form; a bare `host:port` is tcp. */
export function parseEndpoint(address: string, source: string, tls?: Tls): Endpoint {
  const text = address.includes('://') ? address : `tcp://${address}`
  const local = /^(unix|npipe):\/\/(.+)$/.exec(text)
  if (local) {
    const transport = local[1] as 'unix' | 'npipe'
    return { address: text, transport, source, socketPath: local[2]! }
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  const protocol = url?.protocol ?? ''
  if (!url?.hostname || !['tcp:', 'http:', 'https:', 'ssh:'].includes(protocol)) {
    throw badInput(
      'bad-docker-host',
      `"${address}" (from ${source}) is no Docker address; write unix:///path, npipe:////./pipe/name, tcp://host:2376 or ssh://user@host.`,
    )
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'ssh:') {
    const user = url.username ? { user: decodeURIComponent(url.username) } : {}
    // Without a port, ssh's own configuration says which.
    const port = url.port ? { port: Number(url.port) } : {}
    return { address: text, transport: 'ssh', source, host, ...port, ...user }
  }
  const secured = tls ?? (protocol === 'https:' ? { skipVerify: false } : undefined)
  const port = Number(url.port || (secured ? 2376 : 2375))
  return { address: text, transport: 'tcp', source, host, port, ...(secured ? { tls: secured } : {}) }
}

function currentContext(folder: string, machine: Machine): string | undefined {
  const file = path.join(folder, 'config.json')
  const text = machine.read(file)
  return text === undefined ? undefined : parseJson<{ currentContext?: string }>(text, file).currentContext
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } }
}

function readContext(folder: string, name: string, machine: Machine): Endpoint {
  const id = createHash('sha256').update(name).digest('hex')
  const file = path.join(folder, 'contexts', 'meta', id, 'meta.json')
  const text = machine.read(file)
  const docker = text === undefined ? undefined : parseJson<ContextMeta>(text, file).Endpoints?.docker
  if (!docker?.Host) {
    throw badInput(
      'no-docker-context',
      `There is no Docker context "${name}" under ${folder}; \`docker context ls\` lists them, and DOCKER_CONTEXT=default takes this machine's own Engine.`,
    )
  }
  const tls = readTls(
    path.join(folder, 'contexts', 'tls', id, 'docker'),
    machine,
    docker.SkipTLSVerify === true,
  )
  const secured = docker.Host.startsWith('tcp:') && (tls.ca || tls.cert || tls.skipVerify) ? tls : undefined
  return parseEndpoint(docker.Host, `context ${name}`, secured)
}

function readTls(folder: string, machine: Machine, skipVerify: boolean): Tls {
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) =>
    machine.read(path.join(folder, file)),
  )
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}), skipVerify }
}

function parseJson<T>(text: string, file: string): T {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as T
  } catch (cause) {
    throw badInput('bad-docker-config', `${file} is not JSON; repair it or set DOCKER_HOST.`, cause)
  }
}
