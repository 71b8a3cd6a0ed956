import { stat } from 'node:fs/promises'
import path from 'node:path'
import { isReference } from '../bundle/registry/reference.ts'
import type { Context } from './context.ts'

/** Whether a word is meant as a place in a registry: a folder of that name comes first. */
export async function namesRegistry(context: Context, word: string): Promise<boolean> {
  if (!isReference(word)) return false
  return !(await stat(path.resolve(context.cwd, word)).catch(() => undefined))
}
