import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readLocalCgroup } from '../../../src/host/cgroup.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

let scratch: Scratch
beforeEach(async () => {
  scratch = await makeScratch('cgroup')
})
afterEach(() => scratch.remove())

const id = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00'

/** The two file systems, with one process in one group. */
async function machine(groups: string, folder: string, files: Record<string, string>) {
  const roots = { proc: path.join(scratch.path, 'proc'), cgroup: path.join(scratch.path, 'cgroup') }
  await mkdir(path.join(roots.proc, '42'), { recursive: true })
  await writeFile(path.join(roots.proc, '42', 'cgroup'), groups)
  await mkdir(path.join(roots.cgroup, folder), { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(roots.cgroup, folder, name), text)
  }
  return roots
}

describe('the control group of a container', () => {
  it('of version 2 tells memory in use without what can be dropped, the cap and kills', async () => {
    const folder = `system.slice/docker-${id}.scope`
    const roots = await machine(`0::/${folder}\n`, folder, {
      'memory.current': '5000000\n',
      'memory.max': '67108864\n',
      'memory.stat': 'anon 3000000\nfile 2000000\ninactive_file 1500000\n',
      'memory.events': 'low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n',
    })
    expect(readLocalCgroup(42, id, roots)).toEqual({ used: 3_500_000, cap: 67_108_864, kills: 2 })
  })

  it('of version 1 likewise, beside the groups of other controllers', async () => {
    const groups = `12:pids:/docker/${id}\n4:cpu,cpuacct:/docker/${id}\n3:memory:/docker/${id}\n0::/docker/${id}\n`
    const roots = await machine(groups, `memory/docker/${id}`, {
      'memory.usage_in_bytes': '5000000\n',
      'memory.limit_in_bytes': '9223372036854771712\n',
      'memory.stat': 'cache 1\ninactive_file 1\ntotal_inactive_file 1000000\n',
      'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    })
    expect(readLocalCgroup(42, id, roots)).toEqual({ used: 4_000_000, kills: 1 })
  })

  it('without a cap has none, and on an old kernel tells of no kills', async () => {
    const roots = await machine(`0::/docker/${id}\n`, `docker/${id}`, {
      'memory.current': '5000000\n',
      'memory.max': 'max\n',
    })
    expect(readLocalCgroup(42, id, roots)).toEqual({ used: 5_000_000 })
  })

  it('is not read where the process is another one: the Engine is elsewhere', async () => {
    const roots = await machine('0::/user.slice\n', 'user.slice', { 'memory.current': '5000000\n' })
    expect(readLocalCgroup(42, id, roots)).toBeUndefined()
    expect(readLocalCgroup(43, id, roots)).toBeUndefined()
  })
})
