import { WorkerPool } from '../lib/worker-pool.ts'
import type { CompressRequest } from './compress.ts'
import type { UnpackedPackage, UnpackRequest } from './unpack.ts'

/** The threads that unpack packages and compress layers. */
export interface Workers {
  unpack(request: Omit<UnpackRequest, 'kind'>): Promise<UnpackedPackage>
  compress(pieces: readonly Uint8Array[]): Promise<Uint8Array>
  warm(): void
  close(reason?: unknown): Promise<void>
}

export function startWorkers(): Workers {
  // Node starts threads from JavaScript only: where this file is run as TypeScript (tests), dist's is taken.
  const entry = import.meta.url.endsWith('.ts') ? '../../dist/image/worker.js' : './worker.js'
  const pool = new WorkerPool(new URL(entry, import.meta.url))
  return {
    unpack: (request) => pool.run({ kind: 'unpack', ...request } satisfies UnpackRequest),
    compress: (pieces) => pool.run({ kind: 'compress', pieces } satisfies CompressRequest, true),
    warm: () => pool.warm(),
    close: (reason) => pool.close(reason),
  }
}
