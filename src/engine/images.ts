import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { Call } from './call.ts'
import type { ImageDocument, ImageSummary, Images } from './engine.ts'
import { isInTransit, unlessNotFound } from './errors.ts'
import { readEngineStream } from './load-stream.ts'

export function imagesOf(docker: Docker, call: Call): Images {
  return {
    list: () => call(async () => (await docker.listImages()).map(summarise)),
    inspect: (reference) =>
      call(() =>
        unlessNotFound(async () => describe(await settled(() => docker.getImage(reference).inspect()))),
      ),
    tag: (id, reference) =>
      call(async () => {
        const colon = reference.lastIndexOf(':')
        await docker.getImage(id).tag({ repo: reference.slice(0, colon), tag: reference.slice(colon + 1) })
      }),
    remove: (reference) =>
      call(async () => void (await docker.getImage(reference).remove({ noprune: false }))),
    load: (archive, onLine) => call(() => load(docker, archive, onLine)),
  }
}

/** An answer that another run's load or removal did not cut across, which Engine 28 and later say and are to be asked again. */
async function settled<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!isInTransit(error) || attempt === 5) throw error
    }
  }
}

async function load(
  docker: Docker,
  archive: Readable,
  onLine: ((line: string) => void) | undefined,
): Promise<string[]> {
  // The transport ends the request with an error of its own when the archive fails: that one comes first.
  const broken = new Promise<never>((_, reject) => archive.once('error', reject))
  try {
    const answer = await Promise.race([docker.loadImage(archive, { quiet: true }), broken])
    return await Promise.race([readEngineStream(answer, onLine), broken])
  } finally {
    broken.catch(() => {})
    archive.destroy()
  }
}

function summarise(image: Docker.ImageInfo): ImageSummary {
  return {
    id: image.Id,
    tags: (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>'),
    labels: image.Labels ?? {},
    size: image.Size,
  }
}

function describe(image: Docker.ImageInspectInfo): ImageDocument {
  return {
    id: image.Id,
    tags: image.RepoTags ?? [],
    labels: image.Config?.Labels ?? {},
    size: image.Size,
    layers: image.RootFS?.Layers ?? [],
    architecture: image.Architecture,
    os: image.Os,
  }
}
