import { get, type RequestOptions } from 'node:http'
import { errorCode } from '../../lib/errors.ts'
import type { EngineState } from './engine-setup.ts'

/** Asks `/_ping` of the Engine that DOCKER_HOST names, else of this machine's own (Engine API, "Ping"). */
export function probeEngine(env: NodeJS.ProcessEnv = process.env): Promise<EngineState> {
  return new Promise((resolve) => {
    const request = get({ ...address(env), path: '/_ping', timeout: 5000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200 ? 'answers' : 'silent')
    })
    request.on('timeout', () => request.destroy())
    request.on('error', (error) => resolve(errorCode(error) === 'EACCES' ? 'forbidden' : 'silent'))
  })
}

function address(env: NodeJS.ProcessEnv): RequestOptions {
  if (!env.DOCKER_HOST)
    return { socketPath: process.platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock' }
  const url = new URL(env.DOCKER_HOST)
  return url.hostname === '' ? { socketPath: url.pathname } : { host: url.hostname, port: url.port || 2375 }
}
