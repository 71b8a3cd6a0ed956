import type { Engine } from '../engine/engine.ts'
import { formerVolumes, type Reset } from './plan-reset.ts'
import type { HostState } from './state.ts'
import type { Settings } from './stored-settings.ts'
import type { HostTarget } from './target.ts'

/** One thing that a reset deletes or leaves. */
export interface ResetItem {
  readonly kind: 'container' | 'volume' | 'setting'
  /** A setting as "key=value". */
  readonly name: string
  /** Of a container: what it wrote over its image. Absent where the Engine cannot tell. */
  readonly bytes?: number
  /** What a volume holds, where the product says so. */
  readonly holds?: string
}

export interface ResetReport {
  readonly goes: readonly ResetItem[]
  readonly stays: readonly ResetItem[]
}

/** What goes and what stays with a reset, in bytes as the Engine measures them. */
export async function reportReset(
  engine: Engine,
  current: HostState,
  target: HostTarget,
  reset: Reset,
  settings: { readonly stored: Settings; readonly kept: Settings },
): Promise<ResetReport> {
  const usage = await engine.diskUsage()
  const goes: ResetItem[] = []
  const stays: ResetItem[] = []
  for (const { id, name, service } of current.containers) {
    const bytes = usage.containers.find((one) => one.id === id)?.written
    const purged = reset.level !== 'restart' && reset.services.includes(service)
    ;(purged ? goes : stays).push({ kind: 'container', name, ...(bytes !== undefined && { bytes }) })
  }
  const former = formerVolumes(current, target, reset.emptied)
  for (const volume of current.volumes) {
    const { name, holds } = volume
    const size = usage.volumes.find((one) => one.name === name)?.size
    ;(former.includes(volume) ? goes : stays).push({
      kind: 'volume',
      name,
      ...(size !== undefined && { bytes: size }),
      ...(holds !== undefined && { holds }),
    })
  }
  for (const [key, value] of Object.entries(settings.stored)) {
    ;(key in settings.kept ? stays : goes).push({ kind: 'setting', name: `${key}=${value}` })
  }
  return { goes, stays }
}
