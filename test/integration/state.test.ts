import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine } from '../../src/engine/connect.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { dropHelperImage, helperFolder } from '../../src/host/helper-image.ts'
import { stateContainer, stateVolume } from '../../src/host/own-things.ts'
import { tarOfFile } from '../../src/host/small-file.ts'
import {
  emptyState,
  formatCopy,
  type StateDocument,
  withStoredSetting,
} from '../../src/host/state-document.ts'
import { readState, updateState, writeState } from '../../src/host/state-volume.ts'
import type { SlipwayError } from '../../src/lib/errors.ts'

const name = `slipway-test-state-${process.pid}`
const volume = stateVolume(name).name
const container = stateContainer(name)
const first = withStoredSetting(emptyState, 'dns.port', '1053')
const second = withStoredSetting(first, 'dns.port', '2053')
let engine: Engine

beforeAll(async () => {
  engine = await connectEngine()
})

afterEach(async () => {
  if (await engine.containers.inspect(container)) await engine.containers.remove(container)
  if (await engine.volumes.inspect(volume)) await engine.volumes.remove(volume)
})

afterAll(() => dropHelperImage(engine))

async function own(): Promise<unknown> {
  const [containers, volumes] = await Promise.all([engine.containers.list(), engine.volumes.list()])
  return {
    containers: containers
      .filter((one) => one.name.startsWith(name))
      .map((one) => `${one.name} ${one.state}`),
    volumes: volumes.map((one) => one.Name).filter((one) => one.startsWith(name)),
  }
}

async function overwrite(file: string, text: string): Promise<void> {
  await engine.containers.putArchive(container, helperFolder, tarOfFile(file, text))
}

async function caught(action: Promise<unknown>) {
  const error = await action.then(
    () => undefined,
    (thrown: SlipwayError) => thrown,
  )
  return { code: error?.code, exitCode: error?.exitCode, message: error?.message }
}

describe('the state of an appliance on a real Engine', () => {
  it('is empty where nothing was written, and asking leaves nothing behind', async () => {
    expect(await readState(engine, name)).toEqual(emptyState)
    expect(await own()).toEqual({ containers: [], volumes: [] })
  })

  it('is read through a container that never starts, and without it too', async () => {
    await writeState(engine, name, first)
    expect(await own()).toEqual({ containers: [`${container} created`], volumes: [volume] })
    expect(await readState(engine, name)).toEqual(first)
    await engine.containers.remove(container)
    expect(await readState(engine, name)).toEqual(first)
    expect(await own()).toEqual({ containers: [], volumes: [volume] })
    await updateState(engine, name, (state) => withStoredSetting(state, 'dns.port', '2053'))
    expect(await readState(engine, name)).toEqual(second)
  })

  it('is the former one where the last writing was cut off', async () => {
    await writeState(engine, name, first)
    await writeState(engine, name, second)
    await overwrite('state-0.json', formatCopy({ generation: 2, document: second }).slice(0, 60))
    expect(await readState(engine, name)).toEqual(first)
    await writeState(engine, name, second)
    expect(await readState(engine, name)).toEqual(second)
  })

  it('of a later format is neither read nor overwritten', async () => {
    await writeState(engine, name, first)
    const later = { ...first, version: 2 } as unknown as StateDocument
    await overwrite('state-0.json', formatCopy({ generation: 2, document: later }))
    const refused = {
      code: 'newer-state',
      exitCode: 2,
      message: `The stored settings of ${name} have format 2, and this Slipway reads format 1: they are a newer Slipway's, so run the command with that.`,
    }
    expect(await caught(readState(engine, name))).toEqual(refused)
    expect(await caught(writeState(engine, name, second))).toEqual(refused)
    expect(await caught(updateState(engine, name, () => second))).toEqual(refused)
  })

  it('that is damaged is told, and can be written anew', async () => {
    await writeState(engine, name, first)
    await overwrite('state-1.json', '{"generation":')
    expect(await caught(readState(engine, name))).toMatchObject({ code: 'damaged-state', exitCode: 1 })
    await writeState(engine, name, second)
    expect(await readState(engine, name)).toEqual(second)
  })

  it('is never written into a stranger’s volume', async () => {
    await engine.volumes.create({ name: volume, driver: 'local', options: {}, labels: {} })
    expect(await readState(engine, name)).toEqual(emptyState)
    expect(await caught(writeState(engine, name, first))).toEqual({
      code: 'name-taken',
      exitCode: 3,
      message: `The volume ${volume} exists on this host and is not of the appliance ${name}; remove it, or choose another --name.`,
    })
    expect(await own()).toEqual({ containers: [], volumes: [volume] })
  })
})
