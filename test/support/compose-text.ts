import { stringify } from 'yaml'
import { readComposeFile } from '../../src/definition/compose-file.ts'
import type { Definition } from '../../src/definition/definition.ts'

/** A product's Compose files as one text. */
export async function composeText(definition: Pick<Definition, 'roots'>): Promise<string> {
  return stringify((await readComposeFile(definition)).value)
}
