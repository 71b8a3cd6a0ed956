import { readFileSync } from 'node:fs'

/** Slipway's own version. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
