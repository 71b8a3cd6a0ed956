import path from 'node:path'
import { readPublicKeys } from '../bundle/key.ts'
import { findRecipes, parseRecipes } from '../debian/recipe-load.ts'
import { schemaFolder, staleSchemas } from '../definition/editor-schema.ts'
import { loadDefinition } from '../definition/load.ts'
import { readOverlays } from '../definition/overlay.ts'
import { DefinitionError } from '../definition/problem.ts'
import { profileNames } from '../definition/profile-load.ts'
import { readSources } from '../definition/sources/read-sources.ts'
import { commandName, programName } from '../lib/command-name.ts'
import { exitCodes, SlipwayError } from '../lib/errors.ts'
import { typedWord } from '../lib/typed-word.ts'
import type { Context } from './context.ts'

interface Options {
  readonly directory: string
  readonly json?: boolean
}

/** `slipway validate`: reads every file of the product directory and says what is wrong with it. */
export async function run(context: Context, options: Options): Promise<number | undefined> {
  try {
    const directory = path.resolve(context.cwd, options.directory)
    const definition = await loadDefinition(directory)
    parseRecipes(await findRecipes(definition.recipeFolders))
    await readPublicKeys(definition.keys)
    const { trees } = await readSources(definition)
    for (const tree of trees) await tree.entries()
    for (const { rootfs } of definition.components) await readOverlays(rootfs)
    const profiles = await profileNames(definition)
    const stale = await staleSchemas(directory)
    if (options.json) {
      context.print(JSON.stringify({ valid: true, problems: [], staleSchemas: stale }, null, 2))
      return exitCodes.done
    }
    context.print(
      `${definition.name} ${definition.version} is valid: ${definition.components.length} components (${definition.components.map(({ name }) => name).join(', ')}), profiles ${profiles.join(', ')}.`,
    )
    if (stale.length > 0)
      context.print(
        `What your editor checks by, ${schemaFolder}, is of another ${programName()}; to write it anew: ${commandName()} init --schemas ${typedWord(path.relative(context.cwd, directory) || '.')}`,
      )
    return exitCodes.done
  } catch (error) {
    if (!options.json || !(error instanceof SlipwayError)) throw error
    const problems =
      error instanceof DefinitionError ? error.problems : [{ file: '', path: '', text: error.message }]
    context.print(JSON.stringify({ valid: false, problems }, null, 2))
    return error.exitCode
  }
}
