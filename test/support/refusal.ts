import { type OpenOptions, openBundle } from '../../src/bundle/open-bundle.ts'
import { exitCodes } from '../../src/lib/errors.ts'
import { caughtLater } from './caught.ts'

/** What every refusal of a bundle ends with. */
export const again = 'Nothing was loaded; get the file from its vendor again.'

/** Code and sentence with which a bundle is refused as bad input; anything else fails the test. */
export async function refusalOf(file: string, options: OpenOptions): Promise<[string, string]> {
  const error = await caughtLater(async () => (await openBundle(file, options)).close())
  if (error.exitCode === exitCodes.badInput) return [error.code, error.message]
  throw error
}
