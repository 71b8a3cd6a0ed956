import { describe, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { keepFormerImage } from '../../../src/host/former-image.ts'

const store = { 'sha256:a': ['acme:1.0.0'], 'sha256:b': [] as string[] }

/** Images as Engines keep them; one with containerd's store before 28.1 forgets what has no name. */
function engineOf(api: string, containerdStore: boolean, given: Record<string, string[]> = store) {
  const images = new Map(Object.entries(given).map(([id, tags]) => [id, [...tags]]))
  const find = (reference: string) =>
    [...images].find(([id, tags]) => id === reference || tags.includes(reference))
  const untag = (reference: string): void => {
    for (const [id, tags] of images) {
      if (!tags.includes(reference)) continue
      const left = tags.filter((tag) => tag !== reference)
      if (left.length === 0 && containerdStore && api < '1.49') images.delete(id)
      else images.set(id, left)
    }
  }
  const engine = {
    version: { api },
    info: async () => ({ containerdStore }),
    images: {
      inspect: async (reference: string) => {
        const [id, tags] = find(reference) ?? []
        return id && { id, tags }
      },
      tag: async (id: string, reference: string) => {
        if (!find(id)) throw new Error(`no such image: ${id}`)
        if (find(reference)?.[0] === find(id)![0]) return
        untag(reference)
        images.set(find(id)![0], [...find(id)![1], reference])
      },
      remove: async (reference: string) => untag(reference),
    },
  } as unknown as Engine
  return { engine, tags: () => Object.fromEntries(images) }
}

describe('the image that another one takes a name from', () => {
  it.each([
    ['20.10', '1.41', false],
    ['26.1 with containerd’s store', '1.45', true],
    ['28.1 with containerd’s store', '1.49', true],
  ])('has it again on Engine %s', async (_, api, containerdStore) => {
    const { engine, tags } = engineOf(api, containerdStore)
    const undo = await keepFormerImage(engine, 'acme:1.0.0')
    await engine.images.tag('sha256:b', 'acme:1.0.0')
    await undo()
    const { 'sha256:a': former } = tags()
    expect(former).toEqual(['acme:1.0.0'])
  })

  it('leaves no second name behind when nobody needs it any more', async () => {
    const { engine, tags } = engineOf('1.45', true)
    const undo = await keepFormerImage(engine, 'acme:1.0.0')
    await engine.images.tag('sha256:b', 'acme:1.0.0')
    expect(tags()).toEqual({ 'sha256:a': ['acme:1.0.0.former'], 'sha256:b': ['acme:1.0.0'] })
    await undo.forget?.()
    expect(tags()).toEqual({ 'sha256:b': ['acme:1.0.0'] })
  })

  it('needs none where it has another name', async () => {
    const { engine, tags } = engineOf('1.45', true, { ...store, 'sha256:a': ['acme:1.0.0', 'other:1'] })
    const undo = await keepFormerImage(engine, 'acme:1.0.0')
    expect([undo.forget, tags()['sha256:a']]).toEqual([undefined, ['acme:1.0.0', 'other:1']])
  })

  it('where there is none, the name goes again', async () => {
    const { engine, tags } = engineOf('1.41', false, { 'sha256:b': [] })
    const undo = await keepFormerImage(engine, 'acme:1.0.0')
    await engine.images.tag('sha256:b', 'acme:1.0.0')
    await undo()
    expect(tags()).toEqual({ 'sha256:b': [] })
  })
})
