import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerDocument } from '../engine/documents.ts'
import type { Engine } from '../engine/engine.ts'
import { commandName } from '../lib/command-name.ts'
import { errorCode, exitCodes, SlipwayError } from '../lib/errors.ts'
import type { Report } from '../lib/progress.ts'
import { helperFolder } from './helper-image.ts'
import { ownLabels, roles } from './labels.ts'
import { describeHolder, type MutexSight, parseHolder, whyFree } from './mutex-judge.ts'
import { mutexContainer } from './own-things.ts'
import { identifyRun, isAlive, type RunIdentity, samePlace } from './run-identity.ts'
import { readSmallFiles, tarOfFile } from './small-file.ts'
import { createHelper } from './state-volume.ts'

/** How long a holder that is not heard of keeps the mutex, and how often a living one is; milliseconds. */
export interface Timing {
  readonly lease: number
  readonly heartbeat: number
}

const usual: Timing = { lease: 300_000, heartbeat: 60_000 }
const leaseFile = 'lease'

export interface Mutex {
  /** Throws `mutex-lost` where another run has taken it over: then nothing more may be changed. */
  check(): Promise<void>
  release(): Promise<void>
}

/**
 * Does `work` while no other run changes the same appliance, from whichever machine: the mutex is a container of a
 * fixed name, which an Engine creates once only, and it lets go by itself when its holder dies. Throws `busy`, with
 * exit code 6, the holder and since when.
 */
export async function withMutex<T>(
  engine: Engine,
  name: string,
  verb: string,
  report: Report,
  work: (mutex: Mutex) => Promise<T>,
  timing: Timing = usual,
): Promise<T> {
  const mutex = await takeMutex(engine, name, verb, report, timing)
  try {
    return await work(mutex)
  } finally {
    await mutex.release()
  }
}

/** Whether a run is at work on the appliance, or was killed before it could let go. */
export async function isTaken(engine: Engine, name: string): Promise<boolean> {
  const container = await engine.containers.inspect(mutexContainer(name))
  return container?.Config.Labels[ownLabels.role] === roles.mutex
}

/** A run that changes an appliance, in words. */
export interface RunAtWork {
  /** "install, by root on host7 (process 123), since 2026-11-20 12:31:05 UTC (4 min ago)". */
  readonly run: string
  /** Why it is at work no more, and the next run takes over; absent where it is. */
  readonly ended?: string
}

/** Who changes the appliance at this moment, or was cut off before it could let go; undefined: nobody. */
export async function readMutex(engine: Engine, name: string): Promise<RunAtWork | undefined> {
  const container = await engine.containers.inspect(mutexContainer(name))
  if (container?.Config.Labels[ownLabels.role] !== roles.mutex) return undefined
  const sight = await look(engine, container, await identifyRun(), usual.lease)
  const ended = whyFree(sight)
  return { run: describeHolder(sight), ...(ended !== undefined && { ended }) }
}

async function takeMutex(
  engine: Engine,
  name: string,
  verb: string,
  report: Report,
  timing: Timing,
): Promise<Mutex> {
  const run = await identifyRun()
  const holder = { owner: randomUUID(), verb, run }
  for (let attempt = 1; ; attempt++) {
    const began = performance.now()
    try {
      const id = await createHelper(engine, mutexContainer(name), {
        Labels: {
          [ownLabels.appliance]: name,
          [ownLabels.role]: roles.mutex,
          [ownLabels.holder]: JSON.stringify(holder),
        },
        HostConfig: { NetworkMode: 'none' },
      })
      return holdMutex(engine, id, name, began, timing)
    } catch (error) {
      if (!['name-taken', 'conflict'].includes(errorCode(error) ?? '') || attempt === 10) throw error
    }
    if (!(await clear(engine, name, run, report, timing))) await sleep(50 * attempt)
  }
}

/** Removes a container that holds nothing any more; false where there was none. Throws `busy`. */
async function clear(
  engine: Engine,
  name: string,
  self: RunIdentity,
  report: Report,
  { lease }: Timing,
): Promise<boolean> {
  const container = await engine.containers.inspect(mutexContainer(name))
  if (!container) return false
  if (container.Config.Labels[ownLabels.role] !== roles.mutex) {
    throw new SlipwayError(
      'name-taken',
      `The container ${mutexContainer(name)} exists on this host and is not of the appliance ${name}; remove or rename it, or choose another --name.`,
      { exitCode: exitCodes.preflightFailed },
    )
  }
  const sight = await look(engine, container, self, lease)
  const why = whyFree(sight)
  if (why === undefined) {
    throw new SlipwayError(
      'busy',
      `Another run is at work on ${name}: ${describeHolder(sight)}; run the same command again when it is done.`,
      { exitCode: exitCodes.busy },
    )
  }
  try {
    // By its ID: a mutex that a third run takes in the meantime has another.
    await engine.containers.remove(container.Id)
    report({ type: 'note', text: `Taking over from ${describeHolder(sight)}: ${why}.` })
  } catch (error) {
    if (!['gone', 'conflict'].includes(errorCode(error) ?? '')) throw error
  }
  return true
}

async function look(
  engine: Engine,
  container: ContainerDocument,
  self: RunIdentity,
  lease: number,
): Promise<MutexSight> {
  const holder = parseHolder(container.Config.Labels[ownLabels.holder])
  const alive = holder && samePlace(holder.run, self) ? await isAlive(holder.run) : undefined
  const sight = {
    holder,
    since: Date.parse(container.Created),
    lease,
    now: Date.parse((await engine.info()).time),
    self,
    alive,
  }
  // The file is asked only where the first lease is over.
  return whyFree(sight) === undefined
    ? sight
    : { ...sight, lease: await readLease(engine, container.Id, lease) }
}

function holdMutex(
  engine: Engine,
  id: string,
  name: string,
  began: number,
  { lease, heartbeat }: Timing,
): Mutex {
  let heard = performance.now()
  let lost = false
  const renew = async (): Promise<void> => {
    const now = performance.now()
    try {
      const tar = tarOfFile(leaseFile, String(Math.round(now - began + lease)))
      await engine.containers.putArchive(id, helperFolder, tar)
      heard = now
    } catch (error) {
      // An Engine that is away for a moment has not given the mutex to another.
      if (errorCode(error) === 'gone') lost = true
    }
  }
  const timer = setInterval(() => void renew(), heartbeat)
  timer.unref()
  return {
    check: async () => {
      if (!lost && performance.now() - heard > 2 * heartbeat) await renew()
      // Where the Engine's clock leapt, or its machine slept, another run may hold it though ours was just heard of.
      if (!lost) lost = !(await engine.containers.inspect(id).catch(() => true))
      if (!lost && performance.now() - heard < lease) return
      throw new SlipwayError(
        'mutex-lost',
        `Another run may have taken over ${name}, since this one was not heard of for too long; \`${commandName()} status\` shows what is there.`,
      )
    },
    release: async () => {
      clearInterval(timer)
      // Left behind it is stale, and the next run takes it over.
      await engine.containers.remove(id).catch(() => {})
    },
  }
}

/** Milliseconds from the mutex's creation on, as its holder last wrote. */
async function readLease(engine: Engine, id: string, first: number): Promise<number> {
  const files = await readSmallFiles(await engine.containers.getArchive(id, `${helperFolder}/${leaseFile}`))
  const renewed = Number(files.get(leaseFile))
  return Number.isFinite(renewed) ? renewed : first
}
