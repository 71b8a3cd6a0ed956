import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { execa } from 'execa'

export interface Typed {
  readonly exitCode: number | undefined
  readonly stderr: string
  /** How `docker` was called, a line each. */
  readonly calls: readonly string[]
}

/** What an Engine on Linux answers, where a test says nothing else: the words that follow `docker`, and the shell's for it. */
const plain: Readonly<Record<string, string>> = {
  'version *': 'echo linux amd64',
  'info *': 'echo Debian',
  'create *': 'echo made',
}

/**
 * Types a line in a folder of a host whose `docker` is a script: a call that fits a pattern does what stands beside it,
 * the test's own patterns first, and any other does nothing and is well.
 */
export async function typeOn(
  folder: string,
  line: string,
  answers: Readonly<Record<string, string>> = {},
  env: NodeJS.ProcessEnv = {},
): Promise<Typed> {
  const bin = path.join(folder, 'fake-bin')
  const log = path.join(folder, 'fake-calls')
  await mkdir(bin, { recursive: true })
  await rm(log, { force: true })
  const cases = Object.entries({ ...answers, ...plain, ...answers }).map(
    ([pattern, does]) => `${pattern.replaceAll(/[^*]+/g, "'$&'")}) ${does} ;;`,
  )
  const text = ['#!/bin/sh', `printf '%s\\n' "$*" >>'${log}'`, 'case "$*" in', ...cases, 'esac', ''].join(
    '\n',
  )
  await writeFile(path.join(bin, 'docker'), text)
  await chmod(path.join(bin, 'docker'), 0o755)
  // Where there is a context, Docker's command has written down which.
  const settings = path.join(folder, '.docker')
  await rm(settings, { recursive: true, force: true })
  if (Object.keys(answers).some((pattern) => pattern.startsWith('context '))) {
    await mkdir(settings)
    await writeFile(path.join(settings, 'config.json'), '{}')
  }
  const { exitCode, stderr } = await execa('sh', ['-c', line], {
    cwd: folder,
    env: { PATH: `${bin}:/usr/bin:/bin`, HOME: folder, SLIPWAY_BIN: bin, ...env },
    extendEnv: false,
    reject: false,
    stdin: 'ignore',
  })
  const calls = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n')
  return { exitCode, stderr, calls }
}
