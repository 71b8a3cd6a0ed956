import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { WorkerPool } from '../../../src/lib/worker-pool.ts'

it('threads that die before they have work are not waited for', async () => {
  const pool = new WorkerPool(new URL('data:text/javascript,throw new Error("no memory")'), 2)
  pool.warm()
  await sleep(500)
  await expect(pool.run('work')).rejects.toThrow('no memory')
  await pool.close()
})

const echo = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', (request) => request === 'for ever' || parentPort.postMessage({ result: request }))
  `)}`,
)

it('what is urgent goes before what waits, and the rest in the order it was asked', async () => {
  const pool = new WorkerPool(echo, 1)
  const order: string[] = []
  const ask = (what: string, urgent?: boolean) =>
    pool.run<string>(what, urgent).then((answer) => order.push(answer))
  await Promise.all([ask('first'), ask('second'), ask('third'), ask('urgent', true)])
  await pool.close()
  expect(order).toEqual(['first', 'urgent', 'second', 'third'])
})

it('a closed pool rejects with the reason what runs and what waits', async () => {
  const pool = new WorkerPool(echo, 1)
  const ends = [pool.run('for ever'), pool.run('never begun')].map((one) =>
    one.catch((error: unknown) => error),
  )
  const reason = new Error('Ctrl-C')
  await pool.close(reason)
  expect(await Promise.all(ends)).toEqual([reason, reason])
})
