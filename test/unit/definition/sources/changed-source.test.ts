import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { readSources } from '../../../../src/definition/sources/read-sources.ts'
import { caughtLater } from '../../../support/caught.ts'
import { testFolder } from '../../../support/test-folder.ts'
import { tinyDefinition } from '../../../support/tiny-definition.ts'
import { makeTar } from '../../../support/tiny-tar.ts'

it('an archive that is another by the time it is unpacked is refused: its layer is cached by its hash', async () => {
  const directory = await testFolder('sources')
  const file = path.join(directory, 'data.tar')
  const rule = { kind: 'tarball', path: 'data.tar', target: '/opt', strip: 0, owner: 'root' } as const
  const definition = tinyDefinition([{ name: 'acme', sources: [{ ...rule, group: 'root', modes: [] }] }], {
    roots: [{ directory, label: '' }],
  })
  await writeFile(file, await makeTar([{ path: 'x', content: 'before' }]))
  const [tree] = (await readSources(definition)).trees
  expect(await tree!.entries()).toMatchObject([{ path: 'x' }])
  await writeFile(file, await makeTar([{ path: 'x', content: 'after' }]))
  expect(await caughtLater(() => tree!.entries())).toMatchObject({
    code: 'bad-source',
    message: 'data.tar was changed while it was read; once it is whole, run: slipway lock',
  })
})
