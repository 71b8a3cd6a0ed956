import type { Engine } from '../engine/engine.ts'
import { planReload } from './plan-memory.ts'
import type { HostState } from './state.ts'
import { type StateDocument, withDueReload } from './state-document.ts'
import { readState, updateState } from './state-volume.ts'
import type { Step } from './step.ts'

/** A step that changes a limit, or that tells the service. */
interface Noted {
  readonly service: string
  readonly name: string
  readonly notedIn?: string
}

/**
 * The reloads that a run which was cut off left due: of containers that run, that stay as they are, and that no step
 * reloads anyhow. Pure.
 */
export function planDueReloads(steps: readonly Step[], current: HostState, stored: StateDocument): Step[] {
  const { reloads = {} } = stored
  return current.containers
    .filter(
      ({ id, service, status, startedAt }) =>
        status === 'running' && reloads[service] === lifeOf(id, startedAt),
    )
    .filter(({ service }) => {
      const tells = (step: Step): boolean =>
        'service' in step && step.service === service && ends.has(step.action)
      return !steps.some(tells)
    })
    .flatMap((one) => {
      // What an interrupted install left under a temporary name has its own by then.
      const rename = steps.find((step) => step.action === 'rename-container' && step.name === one.name)
      const name = rename?.action === 'rename-container' ? rename.to : one.name
      return planReload({ ...one, name }, 'it was not told yet that its memory changed', current.name)
    })
}

/** A container from one start to its end: what starts later reads its limits anew. */
function lifeOf(id: string, startedAt: string | undefined): string {
  return startedAt === undefined ? id : `${id} ${startedAt}`
}

/** What is stopped or started reads its limits anew. */
const ends: ReadonlySet<Step['action']> = new Set(['reload-service', 'stop-container', 'start-container'])

/**
 * Remembers that a reload is due, then changes the limit; taken back, neither is: what a run that was cut off has noted
 * stays noted.
 */
export async function noteReload(
  engine: Engine,
  { service, name, notedIn }: Noted,
  change: () => Promise<(() => Promise<void>) | undefined>,
): Promise<(() => Promise<void>) | undefined> {
  if (notedIn === undefined) return change()
  const document = await engine.containers.inspect(name)
  const life = document && lifeOf(document.Id, document.State.Running ? document.State.StartedAt : undefined)
  const note = (due: string | undefined): Promise<StateDocument> =>
    updateState(engine, notedIn, (document) => withDueReload(document, service, due))
  const before = (await note(life)).reloads?.[service]
  try {
    const takeBack = await change()
    return (
      takeBack &&
      (async () => {
        await takeBack()
        // Told of the new limit meanwhile, it is to be told of the former one again.
        const told = (await readState(engine, notedIn)).reloads?.[service] === undefined
        await note(told ? life : before)
      })
    )
  } catch (error) {
    await note(before).catch(() => {})
    throw error
  }
}

/** The service has been told. */
export async function forgetReload(engine: Engine, { service, notedIn }: Noted): Promise<void> {
  if (notedIn === undefined) return
  if ((await readState(engine, notedIn)).reloads?.[service] === undefined) return
  await updateState(engine, notedIn, (document) => withDueReload(document, service, undefined))
}
