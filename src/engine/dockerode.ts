import { createRequire } from 'node:module'
import type Docker from 'dockerode'

/**
 * Loads dockerode without gRPC, which it needs for BuildKit sessions only: half of its loading time, about 50 ms of
 * every command that talks to an Engine.
 */
export function loadDockerode(): typeof Docker {
  const load = createRequire(import.meta.url)
  const session = load.resolve('dockerode/lib/session')
  load.cache[session] ??= {
    id: session,
    filename: session,
    loaded: true,
    exports: refuse,
  } as unknown as NodeJS.Module
  return load('dockerode') as typeof Docker
}

function refuse(): never {
  throw new Error('Slipway opens no BuildKit sessions, so their code is not loaded.')
}
