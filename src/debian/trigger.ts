import type { Effect } from './effect.ts'
import type { RecipeBook } from './recipe.ts'

/** A package's `triggers` control file (deb-triggers(5)). */
export interface Triggers {
  readonly interests: readonly { readonly name: string; readonly await: boolean }[]
  readonly activates: readonly string[]
}

export function parseTriggers(text: string): Triggers {
  const interests: { name: string; await: boolean }[] = []
  const activates: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const [directive, name] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (!directive || !name) continue
    if (directive.startsWith('interest')) interests.push({ name, await: directive !== 'interest-noawait' })
    else if (directive.startsWith('activate')) activates.push(name)
  }
  return { interests, activates }
}

/**
 * What installed packages do when the packages being configured set off their triggers, each once, in the order of
 * the packages' names.
 *
 * @param installed names of all packages in the image, those being configured included
 * @param activates triggers that the packages being configured name
 * @param paths paths (relative) that they bring: a trigger whose name is a path is set off by files below it
 */
export function triggeredEffects(
  book: RecipeBook,
  installed: Iterable<string>,
  activates: ReadonlySet<string>,
  paths: readonly string[],
): Effect[] {
  const effects: Effect[] = []
  for (const name of [...installed].sort()) {
    for (const trigger of book.recipes.get(name)?.triggers ?? []) {
      const below = `${trigger.name.slice(1)}/`
      const setOff = trigger.name.startsWith('/')
        ? paths.some((path) => path.startsWith(below))
        : activates.has(trigger.name)
      if (setOff) effects.push(...trigger.effects)
    }
  }
  return effects
}
