import { createRequire } from 'node:module'
import type Docker from 'dockerode'
import { withWholeAnswers } from './whole-answers.ts'

/** A client by these options alone: what dockerode would read from the environment by itself is out of its sight. */
export function createClient(options: Docker.DockerOptions): Docker {
  const Dockerode = loadDockerode()
  const names = Object.keys(process.env).filter((name) => name.startsWith('DOCKER_'))
  const values = names.map((name) => process.env[name])
  for (const name of names) delete process.env[name]
  try {
    return withWholeAnswers(new Dockerode(options))
  } finally {
    for (const [index, name] of names.entries()) process.env[name] = values[index]
  }
}

/**
 * Loads dockerode without what only its builds need (gRPC for BuildKit sessions, packing of folders), and with ssh only
 * once it is used: two thirds of its loading time, about 90 ms of every command that talks to an Engine.
 */
function loadDockerode(): typeof Docker {
  const load = createRequire(import.meta.url)
  const within = createRequire(load.resolve('dockerode'))
  for (const unused of ['./session', 'tar-fs', '@balena/dockerignore']) {
    const id = within.resolve(unused)
    load.cache[id] ??= standIn(id, refuse)
  }
  const ssh = within.resolve('docker-modem/lib/ssh')
  load.cache[ssh] ??= standIn(ssh, (options: unknown) => {
    delete load.cache[ssh]
    return load(ssh)(options)
  })
  return load('dockerode') as typeof Docker
}

function standIn(id: string, exports: unknown): NodeJS.Module {
  return { id, filename: id, loaded: true, exports } as unknown as NodeJS.Module
}

function refuse(): never {
  throw new Error('Slipway builds nothing through the Engine, so the code for it is not loaded.')
}
