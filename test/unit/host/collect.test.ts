import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { extract } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Collector, collectAll } from '../../../src/host/support/collect.ts'
import { engineCollectors, isSecretPath } from '../../../src/host/support/engine-collectors.ts'
import { bundleManifest, writeBundle } from '../../../src/host/support/write-bundle.ts'
import { sha256Hex } from '../../../src/lib/digest.ts'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

let scratch: Scratch
beforeAll(async () => {
  scratch = await makeScratch('collect')
})
afterAll(() => scratch.remove())

const collector = (name: string, collect: Collector['collect'], budget = 1000): Collector => ({
  name,
  budget,
  collect,
})

describe('collecting', () => {
  it('one that fails or is late is noted, and the rest goes on', async () => {
    let aborted = false
    const results = await collectAll([
      collector('good', async () => [{ path: 'a.txt', text: 'fine\n' }]),
      collector('bad', async () => {
        throw new Error('http://u:secret@host/ says no')
      }),
      collector(
        'late',
        (signal) =>
          new Promise(() => {
            signal.addEventListener('abort', () => {
              aborted = true
            })
          }),
        20,
      ),
    ])
    expect(
      results.map(({ took: _, files, ...rest }) => ({ ...rest, files: files.map(({ path: file }) => file) })),
    ).toEqual([
      { name: 'good', outcome: 'done', files: ['a.txt'] },
      { name: 'bad', outcome: 'failed', reason: 'http://u:[redacted]@host/ says no', files: [] },
      { name: 'late', outcome: 'timed out', reason: 'not done after 20 ms', files: [] },
    ])
    expect(aborted).toBe(true)
  })

  it('leaves out the beginning of a long text only after its secrets: none loses its name to the cut', async () => {
    const key = `${'QUJD'.repeat(16)}\n`.repeat(2000)
    const rest = `${'x'.repeat(99)}\n`.repeat(Math.floor((8 * 2 ** 20 - 10_000) / 100))
    const block = `token: |\n${key.replaceAll(/^/gm, '  ')}\n`
    const [result] = await collectAll([
      collector('long', async () => [{ path: 'a.log', text: `${'y\n'.repeat(20_000)}${block}${rest}` }]),
    ])
    const text = String(result!.files[0]!.content)
    expect([text.includes('QUJD'), text.includes('left out'), text.endsWith('xx\n')]).toEqual([
      false,
      true,
      true,
    ])
  })

  it('takes secrets out of texts and values, and counts them', async () => {
    const [result] = await collectAll([
      collector('all', async () => [
        { path: 'a.log', text: 'password=one token=two\n' },
        { path: 'b.json', value: { Env: ['API_KEY=three'] } },
      ]),
    ])
    expect(result!.files.map(({ content, redactions }) => [content.toString(), redactions])).toEqual([
      ['password=[redacted] token=[redacted]\n', 2],
      ['{\n  "Env": [\n    "API_KEY=[redacted]"\n  ]\n}\n', 1],
    ])
  })

  it('keeps the end of what is too long', async () => {
    const line = `${'x'.repeat(99)}\n`
    const [result] = await collectAll([
      collector('long', async () => [{ path: 'a', text: line.repeat(90_000) }]),
    ])
    const text = result!.files[0]!.content.toString()
    expect(text.slice(0, 52)).toBe('(611392 characters before this were left out)\nxxxxxx')
    expect(text.endsWith(line)).toBe(true)
  })

  it('without an Engine every question to it says why', async () => {
    const down = new SlipwayError('no-engine', 'No Docker Engine answers.')
    const results = await collectAll(
      engineCollectors(async () => {
        throw down
      }, 'acme'),
    )
    expect(new Set(results.map(({ outcome, reason }) => `${outcome}: ${reason}`))).toEqual(
      new Set(['failed: No Docker Engine answers.']),
    )
    expect(results.map(({ name }) => name)).toEqual([
      'engine',
      'status',
      'state',
      'inspect',
      'health',
      'limits',
      'logs',
      'events',
      'drift',
      'disk',
      'network',
    ])
  })
})

describe('a bundle', () => {
  it('holds its manifest and every file that it names, with the checksum it names', async () => {
    const results = await collectAll([
      collector('one', async () => [{ path: 'logs/a.log', text: 'hello\n' }]),
      collector('two', async () => {
        throw new Error('not there')
      }),
    ])
    const manifest = bundleManifest('acme', '2026-01-02T03:04:05.000Z', results)
    const file = path.join(scratch.path, 'b.tar.gz')
    await writeBundle(file, 'acme-support', manifest, results)
    const files = new Map<string, string>()
    const entries = extract()
    entries.end(gunzipSync(await readFile(file)))
    for await (const entry of entries) {
      const chunks: Uint8Array[] = []
      for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk)
      files.set(entry.header.name, Buffer.concat(chunks).toString())
    }
    expect([...files.keys()]).toEqual(['acme-support/manifest.json', 'acme-support/logs/a.log'])
    const read = JSON.parse(files.get('acme-support/manifest.json')!)
    expect(read).toEqual({
      kind: 'slipway-support-bundle',
      format: 1,
      name: 'acme',
      created: '2026-01-02T03:04:05.000Z',
      collectors: [
        {
          name: 'one',
          outcome: 'done',
          took: expect.any(Number),
          files: [{ path: 'logs/a.log', size: 6, sha256: sha256Hex('hello\n'), redactions: 0 }],
        },
        { name: 'two', outcome: 'failed', took: expect.any(Number), reason: 'not there', files: [] },
      ],
    })
  })
})

describe('files that are secrets by their nature', () => {
  it('show only that they changed', () => {
    const secret = [
      '/etc/appliance/licence.json',
      '/var/lib/acme.lic',
      '/etc/ssl/private/a.crt',
      '/etc/shadow',
      '/opt/tls.key',
      '/root/.ssh/id',
    ]
    expect(secret.filter((file) => !isSecretPath(file))).toEqual([])
    expect(['/etc/appliance/squid.conf', '/etc/hosts'].filter(isSecretPath)).toEqual([])
  })
})
