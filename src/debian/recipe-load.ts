import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { commandName } from '../lib/command-name.ts'
import { badInput, errorCode, SlipwayError } from '../lib/errors.ts'
import type { Effect } from './effect.ts'
import type { Recipe, RecipeBook, RecipeFiles, ScriptRecipe } from './recipe.ts'
import { checkRecipe, type RawEffect } from './recipe-schema.ts'

/**
 * Finds every `<package>.yaml` of the folders; where two folders have one for the same package, that of the folder
 * named first counts. A folder that is not there is an empty one.
 */
export async function findRecipes(folders: readonly string[]): Promise<RecipeFiles> {
  const files = new Map<string, { file: string; text: string }>()
  for (const folder of folders) {
    const names = (await namesIn(folder)).filter((name) => !files.has(path.basename(name, '.yaml')))
    const read = await Promise.all(
      names.map(async (name) => {
        const file = path.join(folder, name)
        const text = (await readFile(file, 'utf8')).replaceAll('\r\n', '\n')
        return [path.basename(name, '.yaml'), { file, text }] as const
      }),
    )
    for (const [name, recipe] of read) files.set(name, recipe)
  }
  return { folders, files }
}

/** Reads recipes; throws `bad-recipe` (exit code 2), which names what is wrong with each. */
export function parseRecipes({ folders, files }: RecipeFiles): RecipeBook {
  const recipes = new Map<string, Recipe>()
  const wrong: string[] = []
  for (const [name, { file, text }] of files) {
    try {
      recipes.set(name, parseRecipe(file, text))
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error
      wrong.push(error.message)
    }
  }
  if (wrong.length === 0) return { folders, recipes }
  const told =
    wrong.length === 1
      ? `${wrong[0]} `
      : `${wrong.length} recipes are wrong:\n${wrong.map((one) => `  ${one}\n`).join('')}`
  throw badInput(
    'bad-recipe',
    `${told}Correct ${wrong.length === 1 ? 'it' : 'them'}, then run: ${commandName()} validate`,
  )
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

/** Reads one recipe; `file` names it in errors, and its base name must be the package's. */
export function parseRecipe(file: string, text: string): Recipe {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const broken = document.errors[0]
  if (broken) {
    throw badInput('bad-recipe', `${file} is no YAML: ${broken.message.split('\n')[0]!.replace(/:$/, '')}.`)
  }
  const raw = checkRecipe(file, document.toJS(), (place) => {
    const node = document.getIn(place, true) as { range?: readonly number[] } | undefined
    return lines.linePos(node?.range?.[0] ?? 0).line
  })
  if (path.basename(file) !== `${raw.package}.yaml`) {
    throw badInput(
      'bad-recipe',
      `${file}: it is for ${raw.package}, so its name must be ${raw.package}.yaml.`,
    )
  }
  return {
    package: raw.package,
    file,
    scripts: raw.scripts.map((script): ScriptRecipe => {
      if (script.run && script.effects) {
        throw badInput('bad-recipe', `${file}: a script has either effects or run, not both.`)
      }
      return { ...script, run: script.run === true, effects: (script.effects ?? []).map(readEffect) }
    }),
    triggers: (raw.triggers ?? []).map(({ name, effects }) => ({ name, effects: effects.map(readEffect) })),
  }
}

/** One key names the effect; what is left out gets its default. The schema has checked the rest. */
function readEffect(raw: RawEffect): Effect {
  const [kind, given] = Object.entries(raw)[0]!
  const values = given === true ? {} : given
  const mode = typeof values.mode === 'string' ? { mode: Number.parseInt(values.mode, 8) } : {}
  return { kind, ...defaults[kind], ...values, ...mode } as unknown as Effect
}

const owned = { owner: 'root', group: 'root' }

const defaults: Readonly<Record<string, object>> = {
  user: { shell: '/usr/sbin/nologin', comment: '' },
  directory: { mode: 0o755, ...owned },
  file: { ...owned, replace: false },
  symlink: { replace: false },
  alternative: { slaves: [] },
}
