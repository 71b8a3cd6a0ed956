import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { ExecResult, PathChange } from '../../../src/engine/containers-port.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { engineRunner } from '../../../src/engine/script-runner.ts'
import { helperImage } from '../../../src/host/helper-image.ts'
import type { RunRequest } from '../../../src/image/run/script-runner.ts'
import { type Report, silent } from '../../../src/lib/progress.ts'
import { makeTar, type TinyFile } from '../../support/tiny-tar.ts'

const image = helperImage('amd64')
const request = (script = '/x.postinst'): RunRequest => ({
  image,
  steps: [{ kind: 'script', title: 'the postinst of acme 1.2', command: [script, 'configure', ''], env: {} }],
  wanted: (path) => !path.startsWith('tmp'),
  report: silent,
  signal: new AbortController().signal,
})

/** An Engine that remembers what it was asked to remove. */
function fakeEngine(
  answers: {
    readonly architecture?: string
    readonly result?: Partial<ExecResult>
    readonly changes?: readonly PathChange[]
    readonly archives?: Readonly<Record<string, readonly TinyFile[]>>
    readonly leftovers?: readonly { id: string; name: string; created: number }[]
  } = {},
) {
  const removed: string[] = []
  const notes: string[] = []
  const report: Report = (event) => void (event.type === 'note' && notes.push(event.text))
  const tags = new Set<string>()
  const engine = {
    endpoint: { address: 'unix:///docker.sock' },
    version: { architecture: answers.architecture ?? 'amd64' },
    info: async () => ({ containerdStore: true, time: '2026-11-20T12:00:00Z' }),
    images: {
      list: async () => [],
      inspect: async (name: string) =>
        tags.has(name) || name.startsWith('slipway-build:') ? { id: image.config.digest } : undefined,
      load: async (archive: Readable) => {
        for await (const _ of archive);
        return []
      },
      remove: async (name: string) => void removed.push(name.replace(/:.*-.*/, ':…')),
    },
    containers: {
      list: async () => answers.leftovers ?? [],
      create: async () => 'run',
      start: async () => {},
      putArchive: async () => {},
      exec: async () => ({ exitCode: 0, stdout: '', stderr: '', ...answers.result }),
      changes: async () => answers.changes ?? [],
      getArchive: async (_: string, path: string) =>
        Readable.from([await makeTar(answers.archives?.[path] ?? [])]),
      remove: async (id: string) => void removed.push(id),
    },
  }
  const runner = engineRunner(async () => engine as unknown as Engine)
  return { removed, notes, run: (script?: string) => runner.run({ ...request(script), report }) }
}

describe('a runner of maintainer scripts', () => {
  it('refuses an Engine of another processor that emulates none, and leaves nothing behind', async () => {
    const { run, removed } = fakeEngine({ architecture: 'arm64', result: { exitCode: 126 } })
    await expect(run()).rejects.toThrow(
      'To run the postinst of acme 1.2, the build needs an Engine whose host runs programs of amd64, and the one at unix:///docker.sock is of arm64 and emulates none: install qemu-user-static there, name another with DOCKER_HOST, or build other platforms here: slipway build --platform linux/arm64',
    )
    expect(removed).toEqual(['run', 'slipway-build:…'])
  })

  it('takes one that emulates, and says so', async () => {
    const { run, notes } = fakeEngine({ architecture: 'arm64' })
    await run()
    expect(notes).toEqual([
      'The Engine at unix:///docker.sock is of arm64: its host emulates amd64 for the scripts.',
      'Running the postinst of acme 1.2 in a container.',
    ])
  })

  it('says what a failed script said last, and leaves nothing behind', async () => {
    const said = ['1', '2', '3', '4', '5', 'adduser: not found'].join('\n')
    const { run, removed } = fakeEngine({ result: { exitCode: 127, stderr: said } })
    await expect(run()).rejects.toThrow(
      'In a container of the image so far, the postinst of acme 1.2 ended with exit code 127, having said: 2 / 3 / 4 / 5 / adduser: not found. What it calls must be in the image (see packages and exclude); or describe it in a recipe.',
    )
    expect(removed).toEqual(['run', 'slipway-build:…'])
  })

  it('takes new folders whole, of changed ones only what they are, and no pipes', async () => {
    const { run } = fakeEngine({
      changes: [
        { path: '/etc', kind: 'modified' },
        { path: '/opt/acme', kind: 'added' },
        { path: '/opt/acme/bin', kind: 'added' },
        { path: '/tmp/x', kind: 'added' },
        { path: '/etc/old', kind: 'deleted' },
      ],
      archives: {
        '/etc': [
          { path: 'etc/', type: 'directory', mode: 0o750 },
          { path: 'etc/passwd', content: 'not looked at' },
        ],
        '/opt/acme': [
          { path: 'acme/', type: 'directory' },
          { path: 'acme/bin', content: 'x', mode: 0o755 },
          { path: 'acme/pipe', type: 'fifo' },
        ],
      },
    })
    const { entries, deleted } = await run()
    expect(entries.map(({ path, type, mode }) => `${path} ${type} ${mode.toString(8)}`)).toEqual([
      'etc directory 750',
      'opt/acme directory 755',
      'opt/acme/bin file 755',
    ])
    expect(deleted).toEqual(['etc/old'])
  })

  it('removes what a build that was killed left hours ago, and no other build’s', async () => {
    const now = Date.parse('2026-11-20T12:00:00Z') / 1000
    const { run, removed } = fakeEngine({
      leftovers: [
        { id: 'old', name: 'slipway-build-1-2', created: now - 7 * 3600 },
        { id: 'other', name: 'slipway-build-3-4', created: now - 60 },
      ],
    })
    await run()
    expect(removed).toEqual(['old', 'slipway-build:…', 'run', 'slipway-build:…'])
  })
})
