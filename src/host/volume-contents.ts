import type { HostContainer, HostVolume } from './state.ts'

/**
 * The volumes with what they hold by the release that mounts them, first of all that which runs: a volume's own labels
 * stay those of the release that made it, whatever later ones call its content. Pure.
 */
export function withContents(
  volumes: readonly HostVolume[],
  containers: readonly HostContainer[],
): HostVolume[] {
  const inOrder = [...containers].sort((a, b) => rankOf(b) - rankOf(a))
  return volumes.map((volume) => {
    const { holds: _, ...rest } = volume
    const user = inOrder.find(({ contents, volumes: mounted }) => contents && mounted.includes(volume.name))
    if (!user?.contents || volume.key === undefined) return volume
    const holds = user.contents[volume.key]
    return holds === undefined ? rest : { ...rest, holds }
  })
}

function rankOf({ status }: HostContainer): number {
  return status === 'running' ? 2 : status === 'created' ? 0 : 1
}
