import type { Engine, VolumeSpec } from '../engine/engine.ts'
import { exitCodes, SlipwayError } from '../lib/errors.ts'
import { ownLabels } from './labels.ts'
import type { Undo } from './undo.ts'

/**
 * Makes a volume. An Engine hands out one that is there already as if it had made it: an own one is left to whoever
 * made it, and one that a stranger made since the plan was, which an undo would delete, is refused.
 */
export async function createVolume(engine: Engine, volume: VolumeSpec): Promise<Undo | undefined> {
  const { name, labels } = volume
  const there = await engine.volumes.inspect(name)
  if (!there) {
    await engine.volumes.create(volume)
    return () => engine.volumes.remove(name)
  }
  const appliance = labels[ownLabels.appliance]
  if (there.Labels?.[ownLabels.appliance] === appliance) return undefined
  throw new SlipwayError(
    'name-taken',
    `The volume ${name} came to this host in the meantime and is not of the appliance ${appliance}; remove it, or choose another --name.`,
    { exitCode: exitCodes.preflightFailed },
  )
}
