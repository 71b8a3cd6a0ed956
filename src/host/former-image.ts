import { compareApi } from '../engine/api-version.ts'
import type { Engine } from '../engine/engine.ts'
import type { Undo } from './undo.ts'

/**
 * Before another image takes a reference: how to give it back. Containerd's image store before Engine 28.1 forgets an
 * image with its last name, so that it is kept under a second one there until the run is at its end.
 */
export async function keepFormerImage(engine: Engine, reference: string): Promise<Undo> {
  const { images } = engine
  const former = await images.inspect(reference)
  if (!former) return () => images.remove(reference)
  const giveBack = (): Promise<void> => images.tag(former.id, reference)
  const second = `${reference}.former`
  const others = former.tags.filter((tag) => tag !== reference && tag !== second)
  if (others.length > 0 || !(await forgetsUnnamed(engine))) return giveBack
  await images.tag(former.id, second)
  const forget = (): Promise<void> => images.remove(second).catch(() => {})
  const undo = async (): Promise<void> => {
    await giveBack()
    await forget()
  }
  return Object.assign(undo, { forget })
}

async function forgetsUnnamed(engine: Engine): Promise<boolean> {
  // That of Engine 28.1.
  return compareApi(engine.version.api, '1.49') < 0 && (await engine.info()).containerdStore
}
