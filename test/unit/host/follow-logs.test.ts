import { expect, it } from 'vitest'
import type { LogQuery, OutputChunk } from '../../../src/engine/containers-port.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { followLogs } from '../../../src/host/logs.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { caughtLater } from '../../support/caught.ts'

const dns = { id: 'a', state: 'running', labels: { 'io.slipway.component': 'dns' } }

it('an Engine that tells no more what is there ends the following, and closes the logs that are open', async () => {
  let looks = 0
  let closed = 0
  async function* log(_: string, { follow, signal }: LogQuery): AsyncGenerator<OutputChunk> {
    if (!follow) return
    await new Promise((resolve) => signal!.addEventListener('abort', resolve))
    closed++
  }
  const engine = {
    info: async () => ({ time: '2026-11-20T12:00:00Z' }),
    containers: {
      list: async () => {
        if (++looks > 2) throw new SlipwayError('engine-gone', 'The Engine is gone.')
        return [dns]
      },
      streamLogs: log,
    },
  } as unknown as Engine
  const { signal } = new AbortController()
  const error = await caughtLater(() => followLogs(engine, 'acme', {}, () => {}, signal))
  await new Promise(setImmediate)
  expect([error.code, closed]).toEqual(['engine-gone', 1])
})
