import { SlipwayError } from '../../src/lib/errors.ts'

/** The SlipwayError that `action` throws; anything else fails the test. */
export function caught(action: () => unknown): SlipwayError {
  try {
    action()
  } catch (error) {
    if (error instanceof SlipwayError) return error
    throw error
  }
  throw new Error('It did not throw.')
}
