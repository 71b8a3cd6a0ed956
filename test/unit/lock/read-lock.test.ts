import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { SlipwayError } from '../../../src/lib/errors.ts'
import { findLock, parseLock, readLock } from '../../../src/lock/read-lock.ts'
import { resolveLock } from '../../../src/lock/resolve-lock.ts'
import { formatLock, writeLock } from '../../../src/lock/write-lock.ts'
import { tinyArchiveView, tinyDefinition } from '../../support/tiny-definition.ts'

const lines = `
  a 1:1.0-1~deb13u1; Depends: b, c
  b 2; Essential: yes
  c 3`
const lock = resolveLock(
  tinyDefinition(
    [
      { name: 'base', essential: true },
      { name: 'dns', packages: ['a'] },
    ],
    {
      platforms: ['linux/amd64', 'linux/arm64'],
      exclude: { c: 'not used' },
    },
  ),
  tinyArchiveView({ trixie: { amd64: lines, arm64: lines } }),
)
const text = formatLock(lock)

describe('a lock', () => {
  it('is read as it was written', () => {
    expect(parseLock(text, 'appliance.lock')).toEqual(lock)
  })

  it('is written in one way: whatever the order of keys', () => {
    const turn = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(turn)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, item]) => [key, turn(item)]),
            )
          : value
    expect(formatLock(turn(lock) as typeof lock)).toBe(text)
    expect(text.endsWith('}\n')).toBe(true)
  })

  it('names no host', () => {
    expect(text).not.toMatch(/:\/\//)
  })

  it('may have been checked out with CRLF', () => {
    expect(parseLock(text.replaceAll('\n', '\r\n'), 'appliance.lock')).toEqual(lock)
  })

  it('is written whole into its directory, and read from there', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-lock-'))
    try {
      expect(await findLock(folder)).toBeUndefined()
      await expect(readLock(folder)).rejects.toThrow(
        `There is no appliance.lock in ${folder}; to make one: slipway lock`,
      )
      await writeLock(folder, lock)
      expect([await readdir(folder), await readFile(path.join(folder, 'appliance.lock'), 'utf8')]).toEqual([
        ['appliance.lock'],
        text,
      ])
      expect(await readLock(folder)).toEqual(lock)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

function refusal(changed: string): { message: string; exitCode: number } {
  try {
    parseLock(changed, 'appliance.lock')
  } catch (error) {
    if (error instanceof SlipwayError) return { message: error.message, exitCode: error.exitCode }
    throw error
  }
  return { message: 'taken', exitCode: 0 }
}

describe('a lock edited by hand', () => {
  const edit = (from: string | RegExp, to: string): string => {
    expect(text).toMatch(from)
    return text.replace(from, to)
  }

  it.each([
    [
      /"sha256": "[0-9a-f]{60}/,
      '"sha256": "',
      /^platforms\.linux\/amd64\.packages\[0\]\.sha256 is "[0-9a-f]{4}", not 64 hex digits$/,
    ],
    [
      '"size": 1000',
      '"size": "1000"',
      'platforms.linux/amd64.packages[0].size is "1000", not a whole number',
    ],
    ['"needs"', '"need"', 'platforms.linux/amd64.packages[0] has no needs'],
    [
      '"needs": []',
      '"needs": [], "requestedby": []',
      'platforms.linux/amd64.packages[0] has an unknown key requestedby (requestedBy?)',
    ],
    [
      'pool/main/b/b/',
      'pool/../../b/',
      'platforms.linux/amd64.packages[0].path is "pool/../../b/b_2_amd64.deb", not the path of a .deb below an archive',
    ],
    [
      'pool/main/b/b/',
      '/b/',
      'platforms.linux/amd64.packages[0].path is "/b/b_2_amd64.deb", not the path of a .deb below an archive',
    ],
    [
      '"linux/amd64": {',
      '"linux/s390x": {',
      'a key of platforms is "linux/s390x", not one of linux/amd64, linux/arm64',
    ],
    ['"name": "b"', '"name": "bb"', 'in linux/amd64, a needs b, which is not locked (a?)'],
    ['"name": "a"', '"name": "b"', 'in linux/amd64, b is listed twice'],
    [
      '"suite": "trixie",\n          "path"',
      '"suite": "sid",\n          "path"',
      'in linux/amd64, b is from sid, which is not among the archives',
    ],
    [/"layer": "dns"/, '"layer": "base"', 'in linux/amd64, a stands out of order'],
    [
      '"date": "2026-11-19T02:12:54Z",\n  "archives"',
      '"date": "yesterday",\n  "archives"',
      'date is "yesterday", not a date in UTC',
    ],
    ['"lockVersion": 1', '"lockVersion": "one"', 'lockVersion is "one", not a whole number'],
    ['"archives": [', '"archives": [,', 'it is not JSON'],
  ])('%s → %s is refused', (from, to, problem) => {
    const { message, exitCode } = refusal(edit(from, to))
    const [, told] =
      /^appliance\.lock was changed by hand or damaged: (.*)\. Put the committed one back, or delete it and run: slipway lock$/.exec(
        message,
      ) ?? []
    if (typeof problem === 'string') expect(told ?? message).toBe(problem)
    else expect(told ?? message).toMatch(problem)
    expect(exitCode).toBe(2)
  })

  it.each(['', '[]', 'null', '42', '"lock"', '{}'])('%j is refused', (other) => {
    expect(refusal(other)).toMatchObject({
      message: expect.stringMatching(/^appliance\.lock was changed by hand or damaged: /),
      exitCode: 2,
    })
  })

  it('a merge conflict is named', () => {
    expect(refusal(`<<<<<<< HEAD\n${text}`)).toEqual({
      message:
        'appliance.lock holds the marks of a merge conflict: take one side of it whole, then run: slipway lock',
      exitCode: 2,
    })
  })

  it('a truncated file is refused', () => {
    for (const length of [1, 100, text.length - 3]) {
      expect(refusal(text.slice(0, length)).message).toMatch(/damaged: it is not JSON/)
    }
  })
})

describe('a lock of another time', () => {
  it('of a newer form is refused', () => {
    expect(refusal(text.replace('"lockVersion": 1', '"lockVersion": 2'))).toEqual({
      message:
        'appliance.lock has lockVersion 2, and this Slipway reads 1: use the Slipway that wrote it, or a newer one.',
      exitCode: 2,
    })
  })

  it('of a newer assemblyVersion is refused, whatever else it holds', () => {
    expect(refusal('{"lockVersion": 1, "assemblyVersion": 7, "novelty": true}')).toEqual({
      message:
        'appliance.lock is for assemblyVersion 7, and this Slipway builds by 2, which would give other bytes: use the Slipway that wrote it, or a newer one.',
      exitCode: 2,
    })
  })
})
