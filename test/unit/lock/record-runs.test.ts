import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { sha256Hex } from '../../../src/lib/digest.ts'
import type { LockedPackage, Lockfile } from '../../../src/lock/lockfile.ts'
import { recordRuns } from '../../../src/lock/record-runs.ts'
import { testFolder } from '../../support/test-folder.ts'
import { makeDeb } from '../../support/tiny-deb.ts'

const script = '#!/bin/sh\nvendor-setup\n'
const facts = `read: "1.0", sha256: [${sha256Hex(script)}], does: whatever the vendor wrote`

it.each([
  [
    'a key of its own line',
    `  - script: postinst\n    ${facts.replaceAll(/, (?=sha|does)/g, '\n    ')}\n    run: true\n`,
  ],
  [
    'the first key of its item',
    `  - run: true\n    script: postinst\n    ${facts.replaceAll(/, (?=sha|does)/g, '\n    ')}\n`,
  ],
  ['between braces', `  - { script: postinst, ${facts}, run: true }\n`],
  ['in quotes', `  - { "script": "postinst", ${facts}, "run": true }\n`],
])('a lock names a script that runs, however its recipe writes so: %s', async (_, scripts) => {
  const deb = await makeDeb({ name: 'agent', version: '1.0', control: { postinst: script } })
  const file = path.join(await testFolder('runs'), 'agent.deb')
  await writeFile(file, deb)
  const locked = { name: 'agent', version: '1.0', sha256: sha256Hex(deb) } as LockedPackage
  const lock = { platforms: { 'linux/amd64': { packages: [locked] } } } as unknown as Lockfile
  const text = `package: agent\nscripts:\n${scripts}`
  const recipes = { folders: ['/r'], files: new Map([['agent', { file: '/r/agent.yaml', text }]]) }
  const recorded = await recordRuns(
    lock,
    { accept: [] },
    recipes,
    async () => new Map([[locked.sha256, file]]),
  )
  expect(recorded.platforms['linux/amd64']).toEqual({
    packages: [locked],
    runs: [{ package: 'agent', version: '1.0', script: 'postinst', sha256: sha256Hex(script) }],
  })
})
