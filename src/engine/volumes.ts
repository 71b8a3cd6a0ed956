import type Docker from 'dockerode'
import type { Call } from './connect.ts'
import type { Volumes } from './engine.ts'

export function volumesOf(docker: Docker, call: Call): Volumes {
  return {
    list: () =>
      call(async () =>
        ((await docker.listVolumes()).Volumes ?? []).map(({ Name, Driver, Mountpoint, Labels, Options }) => ({
          Name,
          Driver,
          Mountpoint,
          Labels,
          Options,
        })),
      ),
    create: (spec) =>
      call(async () => {
        const { name: Name, driver: Driver, options: DriverOpts, labels: Labels } = spec
        await docker.createVolume({ Name, Driver, DriverOpts, Labels })
      }),
    remove: (name) => call(async () => void (await docker.getVolume(name).remove())),
  }
}
