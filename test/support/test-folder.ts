import { onTestFinished } from 'vitest'
import { makeScratch } from './scratch.ts'

/** A folder of the test that asks for it, which goes when that test ends. */
export async function testFolder(name: string): Promise<string> {
  const { path, remove } = await makeScratch(name)
  onTestFinished(remove)
  return path
}
