// Loaded while the main thread reads the definition, not when the first package is waiting.
import 'xz-decompress'
import { serve } from '../lib/worker-serve.ts'
import { type CompressRequest, compress } from './compress.ts'
import { type UnpackRequest, unpack } from './unpack.ts'

serve(async (request: UnpackRequest | CompressRequest) =>
  request.kind === 'unpack' ? unpack(request) : compress(request),
)

compress({ kind: 'compress', pieces: [] }) // has its WebAssembly compiled
