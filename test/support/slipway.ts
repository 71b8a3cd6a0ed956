import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa, type Options } from 'execa'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** The command line as a user runs it. Never throws: look at `exitCode`, `stdout`, `stderr`. */
export function slipway(
  parameters: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  return execa(process.execPath, [path.join(repository, 'dist', 'program', 'main.js'), ...parameters], {
    stdin: 'ignore',
    reject: false,
    ...options,
  } satisfies Options)
}
