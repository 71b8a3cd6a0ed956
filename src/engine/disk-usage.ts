import { setTimeout as sleep } from 'node:timers/promises'
import type { DiskUsage } from './engine.ts'

/** What the Engine answers to "GET /system/df", as far as it is read. */
interface Usage {
  Volumes?: { Name: string; UsageData?: { Size: number } | null }[] | null
  Containers?: { Id: string; SizeRw?: number }[] | null
}

/**
 * Asks an Engine what its volumes and containers take. It measures for one at a time and refuses whoever else asks:
 * those wait, up to `patience` milliseconds.
 */
export async function measureDisk(ask: () => Promise<Usage>, patience = 60_000): Promise<DiskUsage> {
  for (const deadline = Date.now() + patience; ; await sleep(200)) {
    try {
      return readDiskUsage(await ask())
    } catch (error) {
      const isBusy = error instanceof Error && /disk usage operation is already running/.test(error.message)
      if (!isBusy || Date.now() > deadline) throw error
    }
  }
}

function readDiskUsage(usage: Usage): DiskUsage {
  return {
    volumes: (usage.Volumes ?? []).map(({ Name, UsageData }) => ({
      name: Name,
      // The Engine says -1 where it cannot tell.
      ...(UsageData && UsageData.Size >= 0 && { size: UsageData.Size }),
    })),
    containers: (usage.Containers ?? []).map(({ Id, SizeRw }) => ({ id: Id, written: SizeRw ?? 0 })),
  }
}
