import { describe, expect, it } from 'vitest'
import type { ContainerDocument } from '../../../src/engine/documents.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { applyPlan } from '../../../src/host/apply.ts'
import { planHost } from '../../../src/host/plan.ts'
import { planMemoryChange } from '../../../src/host/plan-memory.ts'
import { reloadService, setMemory } from '../../../src/host/set-memory.ts'
import { silent } from '../../../src/lib/progress.ts'
import { caught } from '../../support/caught.ts'
import { applyStep } from './model-host.ts'
import { composeText, emptyHost, sampleTarget } from './sample.ts'

const MiB = 2 ** 20
const compose = composeText.replace(
  '    mem_limit: 64m',
  '    mem_limit: 64m\n    memswap_limit: 64m\n    x-slipway: { reload: [/bin/reload] }',
)
const installed = planHost(emptyHost, sampleTarget({ compose })).reduce(applyStep, emptyHost)
const change = { service: 'optimiser', memory: 128 * MiB, force: false }

describe('the change of a memory limit', () => {
  it('is set, remembered and told, in this order: a refusal comes before anything is kept', () => {
    expect(planMemoryChange(installed, {}, change)).toEqual([
      {
        action: 'set-memory',
        service: 'optimiser',
        name: 'acme-optimiser-1',
        limit: { memory: 128 * MiB, swap: 128 * MiB },
        previous: { memory: 64 * MiB, swap: 64 * MiB },
        force: false,
        notedIn: 'acme',
        reason: '64 MiB → 128 MiB',
      },
      {
        action: 'store-setting',
        appliance: 'acme',
        key: 'optimiser.memory',
        value: '128m',
        reason: '128m from now on, over the profile',
      },
      {
        action: 'reload-service',
        service: 'optimiser',
        name: 'acme-optimiser-1',
        command: ['/bin/reload'],
        notedIn: 'acme',
        reason: 'its memory limit is 128 MiB',
      },
    ])
  })

  it('keeps the swap that a service has beside its memory, in proportion, and says what was remembered before', () => {
    const withSwap = sampleTarget({ compose: composeText })
    const host = planHost(emptyHost, withSwap).reduce(applyStep, emptyHost)
    expect(planMemoryChange(host, { 'optimiser.memory': '64m' }, change)).toEqual([
      {
        action: 'set-memory',
        service: 'optimiser',
        name: 'acme-optimiser-1',
        limit: { memory: 128 * MiB, swap: 256 * MiB },
        previous: { memory: 64 * MiB, swap: 128 * MiB },
        force: false,
        reason: '64 MiB → 128 MiB',
      },
      {
        action: 'store-setting',
        appliance: 'acme',
        key: 'optimiser.memory',
        value: '128m',
        previous: '64m',
        reason: '64m → 128m',
      },
    ])
  })

  it('cut off after any step and made anew ends with the reload, and changes nothing that is right', () => {
    const stored = { 'optimiser.memory': '128m' }
    const [set, ...rest] = planMemoryChange(installed, {}, change)
    const cut = applyStep(installed, set!)
    expect(planMemoryChange(cut, {}, change)).toEqual(rest)
    expect(planMemoryChange(cut, stored, change)).toEqual(rest.slice(1))
  })

  it('of a service that does not run reloads nothing', () => {
    const stopped = {
      ...installed,
      containers: installed.containers.map((one) => ({ ...one, status: 'exited' as const })),
    }
    expect(planMemoryChange(stopped, {}, change).map(({ action }) => action)).toEqual([
      'set-memory',
      'store-setting',
    ])
  })

  it('is what the next install plans nothing for', () => {
    const after = planMemoryChange(installed, {}, change).reduce(applyStep, installed)
    const wanted = sampleTarget({ compose: compose.replaceAll('64m', '128m') })
    expect(planHost(after, wanted)).toEqual([])
  })

  it('needs a service that is there', () => {
    expect(caught(() => planMemoryChange(installed, {}, { ...change, service: 'optimizer' }))).toMatchObject({
      code: 'no-service',
      exitCode: 2,
      message: 'acme has no service optimizer; did you mean optimiser? It has dns, optimiser.',
    })
    expect(caught(() => planMemoryChange(emptyHost, {}, change)).message).toBe(
      'acme is not installed on this host; `slipway install` installs it.',
    )
  })
})

/** An Engine with one running container whose cgroup says `real` whatever is asked for. */
function engineWith({ used = 40 * MiB, real }: { used?: number; real?: string }) {
  const updates: unknown[] = []
  const containers = {
    inspect: async () => ({ State: { Running: true } }) as ContainerDocument,
    memory: async () => ({ used, limit: 128 * MiB }),
    update: async (name: string, limits: unknown) => void updates.push([name, limits]),
    exec: async (_: string, command: readonly string[]) =>
      real === undefined || command[1] !== '/sys/fs/cgroup/memory.max'
        ? { exitCode: 127, stdout: '', stderr: 'cat: not found' }
        : { exitCode: 0, stdout: real, stderr: '' },
  }
  return { updates, engine: { containers } as unknown as Engine }
}

const step = {
  action: 'set-memory',
  service: 'optimiser',
  name: 'acme-optimiser-1',
  limit: { memory: 128 * MiB, swap: 128 * MiB },
  previous: { memory: 64 * MiB, swap: 64 * MiB },
  force: false,
} as const

describe('setting a memory limit', () => {
  it('sets memory and swap together, reads the cgroup, and can be taken back', async () => {
    const { engine, updates } = engineWith({ real: `${128 * MiB}\n` })
    const undo = await setMemory(engine, step)
    expect(updates).toEqual([['acme-optimiser-1', { memory: 128 * MiB, memorySwap: 128 * MiB }]])
    await expect(undo!()).rejects.toThrow('took 64 MiB')
    expect(updates).toHaveLength(2)
  })

  it('leaves a service the swap that it may have beside memory', async () => {
    const { engine, updates } = engineWith({ real: `${128 * MiB}` })
    await setMemory(engine, { ...step, limit: { memory: 128 * MiB, swap: 256 * MiB } })
    expect(updates).toEqual([['acme-optimiser-1', { memory: 128 * MiB, memorySwap: 256 * MiB }]])
  })

  it('believes the Engine where the image has no way to read the cgroup', async () => {
    await setMemory(engineWith({}).engine, step)
  })

  it('below present use plus headroom is refused before anything changes, unless forced', async () => {
    const { engine, updates } = engineWith({ used: 120 * MiB, real: `${128 * MiB}` })
    await expect(setMemory(engine, step)).rejects.toThrow(
      'The service optimiser uses 120 MiB now, so that a limit of 128 MiB could end it; give it 135m or more, or restart it first (`slipway reset restart`), or say --force.',
    )
    expect(updates).toEqual([])
    await setMemory(engine, { ...step, force: true })
    expect(updates).toHaveLength(1)
  })

  it('that failed after the Engine took it is the former one again', async () => {
    const { engine, updates } = engineWith({ real: `${64 * MiB}` })
    await expect(setMemory(engine, step)).rejects.toThrow('its cgroup says 64 MiB')
    expect(updates.at(-1)).toEqual(['acme-optimiser-1', { memory: 64 * MiB, memorySwap: 64 * MiB }])
  })

  it('of a service that had none stands, and is told so, when what follows fails', async () => {
    const { engine } = engineWith({ real: `${128 * MiB}` })
    const { previous: _, ...first } = { ...step, reason: '' }
    const tell = {
      action: 'reload-service',
      service: 'optimiser',
      name: step.name,
      command: ['/r'],
      reason: '',
    } as const
    await expect(applyPlan([first, tell], { engine, report: silent })).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringContaining(
        'and this stands: set memory of acme-optimiser-1 to 128 MiB (it had no limit before, and an Engine takes none away; `slipway install` makes the container anew)',
      ),
    })
  })

  it('that the cgroup does not show is an error', async () => {
    await expect(setMemory(engineWith({ real: 'max\n' }).engine, step)).resolves.toBeDefined()
    await expect(setMemory(engineWith({ real: `${64 * MiB}\n` }).engine, step)).rejects.toThrow(
      "The Docker Engine took 128 MiB for the service optimiser, but its cgroup says 64 MiB; the Engine's log (`journalctl -u docker`) tells more.",
    )
  })
})

describe('a reload that fails', () => {
  it('is told in its last words', async () => {
    const exec = async () => ({ exitCode: 1, stdout: '', stderr: 'a warning\nthe file is wrong.\n' })
    const engine = { containers: { exec } } as unknown as Engine
    const reload = { action: 'reload-service', service: 'optimiser', name: 'x', command: ['/r'] } as const
    await expect(reloadService(engine, reload)).rejects.toThrow(
      'The service optimiser did not take its settings: the file is wrong; `slipway logs optimiser` tells more.',
    )
  })
})
