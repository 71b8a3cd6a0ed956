import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { Call } from './call.ts'
import type { Containers, PathChange, PathStat } from './containers-port.ts'
import { unlessNotFound } from './errors.ts'
import { guarded } from './guarded.ts'

const kinds = ['modified', 'added', 'deleted'] as const

/** The part of the port that reads and writes files of containers. */
export function containerFilesOf(
  docker: Docker,
  call: Call,
): Pick<Containers, 'getArchive' | 'putArchive' | 'stat' | 'changes'> {
  const named = (container: string): Docker.Container => docker.getContainer(container)
  return {
    getArchive: async (container, path) => {
      const tar = await call(() => unlessNotFound(() => named(container).getArchive({ path })))
      if (!tar) return undefined
      return Readable.from(guarded(call, tar as Readable), { objectMode: false })
    },
    putArchive: (container, directory, tar) =>
      call(async () => {
        const answer = await named(container).putArchive(tar, { path: directory })
        for await (const _ of answer);
      }),
    stat: (container, path) =>
      call(() =>
        unlessNotFound(async () => {
          const answer = await named(container).infoArchive({ path })
          // It has no body, and yet its connection is held until somebody has looked.
          answer.resume()
          return readStat(answer)
        }),
      ),
    changes: (container) =>
      call(async () => {
        const changes = (await named(container).changes()) as { Path: string; Kind: number }[] | null
        return (changes ?? []).map(({ Path, Kind }): PathChange => ({ path: Path, kind: kinds[Kind]! }))
      }),
  }
}

/** A header of the Engine's answer: JSON in base64. */
export function readStat(answer: { readonly headers: Record<string, unknown> }): PathStat {
  const header = String(answer.headers['x-docker-container-path-stat'])
  const { name, size, mode, mtime, linkTarget } = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
  return { name, size, mode, mtime, linkTarget }
}
