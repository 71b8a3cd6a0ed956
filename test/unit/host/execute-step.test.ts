import { describe, expect, it } from 'vitest'
import type { ContainerSpec } from '../../../src/engine/documents.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { executeStep } from '../../../src/host/execute-step.ts'
import type { Step } from '../../../src/host/step.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { silent } from '../../../src/lib/progress.ts'
import { caughtLater } from '../../support/caught.ts'

const create: Step = {
  action: 'create-container',
  service: 'dns',
  name: 'acme-dns-1',
  spec: { Image: 'acme:1.0.0' } as ContainerSpec,
  imageIds: ['sha256:planned'],
  reason: '',
}

describe('a step', () => {
  it('makes no container of another image than planned: the name may have been given away meanwhile', async () => {
    const calls: string[] = []
    const containers = {
      create: async (name: string) => {
        calls.push(`create ${name}`)
        return 'new-id'
      },
      inspect: async () => ({ Image: 'sha256:other' }),
      remove: async (id: string) => void calls.push(`remove ${id}`),
    }
    const engine = { containers } as unknown as Engine
    expect(await caughtLater(() => executeStep(create, { engine, report: silent }))).toMatchObject({
      code: 'wrong-image',
      exitCode: 1,
      message: 'acme:1.0.0 became another image (sha256:other) in the meantime; run the same command again.',
    })
    expect(calls).toEqual(['create acme-dns-1', 'remove new-id'])
  })

  it('that names an image gives the name back when taken back, and only where it was another’s', async () => {
    const calls: string[] = []
    const tag = async (id: string, reference: string) => void calls.push(`${reference} is ${id}`)
    const inspect = async (reference: string) => ({ id: 'sha256:old', tags: [reference] })
    const engine = { images: { tag, inspect }, version: { api: '1.51' } } as unknown as Engine
    const execution = { engine, report: silent }
    const step = { action: 'tag-image', id: 'sha256:new', reference: 'acme:1.0.0', reason: '' } as const
    expect(await executeStep(step, execution)).toBeUndefined()
    const undo = await executeStep({ ...step, previous: 'sha256:old' }, execution)
    await undo!()
    expect(calls).toEqual([
      'acme:1.0.0 is sha256:new',
      'acme:1.0.0 is sha256:new',
      'acme:1.0.0 is sha256:old',
    ])
  })

  it('that removes a helper takes it for done where the helper has gone by itself', async () => {
    const fails = (code: string) => {
      const remove = () => Promise.reject(new SlipwayError(code, code))
      const engine = { containers: { remove } } as unknown as Engine
      const step = { action: 'remove-helper', name: 'acme-reader', reason: '' } as const
      return executeStep(step, { engine, report: silent })
    }
    await expect(fails('gone')).resolves.toBeUndefined()
    await expect(fails('engine-gone')).rejects.toMatchObject({ code: 'engine-gone' })
  })
})
