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

/** The SlipwayError that a promise ends with; anything else fails the test. */
export async function caughtLater(action: () => Promise<unknown>): Promise<SlipwayError> {
  try {
    await action()
  } catch (error) {
    if (error instanceof SlipwayError) return error
    throw error
  }
  throw new Error('It did not throw.')
}
