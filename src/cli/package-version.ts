import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ownFolder } from '../lib/own-folder.ts'

/** Slipway's own version. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(path.join(ownFolder, 'package.json'), 'utf8')).version
}
