import { stat } from 'node:fs/promises'

/** Whether there is a plain file, or a link to one; false too where it may not be looked at. */
export async function isFile(place: string): Promise<boolean> {
  return (await stat(place).catch(() => undefined))?.isFile() === true
}
