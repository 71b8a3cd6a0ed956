import type Docker from 'dockerode'
import { compareBytes } from '../lib/compare-bytes.ts'
import type { Call } from './call.ts'
import type { VolumeDocument } from './documents.ts'
import type { Volumes } from './engine.ts'
import { unlessNotFound } from './errors.ts'

export function volumesOf(docker: Docker, call: Call): Volumes {
  return {
    list: () =>
      call(async () => {
        const { Volumes } = await docker.listVolumes()
        return (Volumes ?? []).map(read).sort((a, b) => compareBytes(a.Name, b.Name))
      }),
    inspect: (name) => call(() => unlessNotFound(async () => read(await docker.getVolume(name).inspect()))),
    create: (spec) =>
      call(async () => {
        const { name: Name, driver: Driver, options: DriverOpts, labels: Labels } = spec
        await docker.createVolume({ Name, Driver, DriverOpts, Labels })
      }),
    remove: (name) => call(async () => void (await docker.getVolume(name).remove())),
  }
}

function read({ Name, Driver, Mountpoint, Labels, Options }: Docker.VolumeInspectInfo): VolumeDocument {
  return { Name, Driver, Mountpoint, Labels, Options }
}
