import { Readable } from 'node:stream'
import type { Engine } from '../../../src/engine/engine.ts'
import { readSmallFiles, tarOfFile } from '../../../src/host/small-file.ts'
import { emptyState, formatCopy, type StateDocument } from '../../../src/host/state-document.ts'

/** The part of an Engine that keeps the state of the appliance acme; `count` tells how often it was read and changed. */
export function stateEngine(document: StateDocument = emptyState) {
  const files = new Map([['state-1.json', formatCopy({ generation: 1, document })]])
  const count = { reads: 0, writes: 0 }
  const state = {
    Id: 'state-id',
    State: { Running: false },
    Config: { Labels: { 'io.slipway.role': 'state' } },
    Mounts: [{ Name: 'acme_state' }],
  }
  const containers = {
    inspect: async (name: string): Promise<unknown> => (name === 'acme-state' ? state : undefined),
    getArchive: async () => {
      count.reads++
      return Readable.from(
        [...files].map(([file, text]) => tarOfFile(`state/${file}`, text).subarray(0, -1024)),
      )
    },
    putArchive: async (_: string, __: string, tar: Buffer) => {
      count.writes++
      for (const [file, text] of await readSmallFiles(Readable.from([tar]))) files.set(file, text)
    },
  }
  return { count, engine: { containers } as unknown as Engine }
}
