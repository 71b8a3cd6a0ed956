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
