import { statfs } from 'node:fs/promises'
import os from 'node:os'
import type { Collector } from './collect.ts'

/** What this machine says of itself, also when no Engine answers. */
export function machineCollectors(slipway: string, folders: readonly string[]): Collector[] {
  return [
    {
      name: 'versions',
      budget: 2000,
      collect: async () => [
        {
          path: 'versions.json',
          value: {
            slipway,
            node: process.version,
            platform: process.platform,
            architecture: process.arch,
            system: `${os.type()} ${os.release()} ${os.version()}`,
            hostName: os.hostname(),
            time: new Date().toISOString(),
            timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
          },
        },
      ],
    },
    {
      name: 'machine',
      budget: 2000,
      collect: async () => [
        {
          path: 'machine.json',
          value: {
            uptime: os.uptime(),
            load: os.loadavg(),
            memory: { total: os.totalmem(), free: os.freemem() },
            processors: os.cpus().map(({ model }) => model),
            disks: await Promise.all(folders.map(readDisk)),
            network: os.networkInterfaces(),
          },
        },
      ],
    },
  ]
}

async function readDisk(folder: string): Promise<object> {
  try {
    const { blocks, bavail, bsize, files, ffree } = await statfs(folder)
    return { folder, size: blocks * bsize, free: bavail * bsize, inodes: files, freeInodes: ffree }
  } catch (error) {
    return { folder, error: error instanceof Error ? error.message : String(error) }
  }
}
