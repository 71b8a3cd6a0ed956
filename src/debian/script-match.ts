import path from 'node:path'
import { SlipwayError } from '../lib/errors.ts'
import type { Effect } from './effect.ts'
import type { RecipeBook } from './recipe.ts'
import { isEmptyScript, remainder, scriptDigest, scriptText } from './script.ts'
import { alternativesOf } from './script-alternatives.ts'

/** A script that the definition leaves unrun, by the digest of its remainder. */
export interface AcceptedScriptDigest {
  readonly package: string
  readonly script: string
  readonly sha256: string
}

/**
 * The effects of a package's maintainer scripts, those that run when it is newly installed: preinst, then postinst
 * (Debian Policy 6.5). Throws `unknown-script` where no recipe and no `accept` knows a script that does something;
 * `run-comes-later` where a recipe says that it must run.
 */
export function matchScripts(
  subject: { readonly name: string; readonly version: string; readonly architecture: string },
  control: ReadonlyMap<string, Uint8Array>,
  book: RecipeBook,
  accepted: readonly AcceptedScriptDigest[],
): Effect[] {
  const effects: Effect[] = []
  for (const script of ['preinst', 'postinst'] as const) {
    const bytes = control.get(script)
    if (!bytes) continue
    const text = scriptText(bytes)
    const left = remainder(text)
    if (!isEmptyScript(left)) {
      const digest = scriptDigest(left)
      const known = book.recipes
        .get(subject.name)
        ?.scripts.find((recipe) => recipe.script === script && recipe.sha256.includes(digest))
      const isAccepted = accepted.some(
        (entry) => entry.package === subject.name && entry.script === script && entry.sha256 === digest,
      )
      if (known?.run && !isAccepted) throw runComesLater(subject.name, script, book)
      if (known) effects.push(...known.effects.map((effect) => forArchitecture(effect, subject.architecture)))
      else if (!isAccepted) throw unknownScript(subject, script, left, digest, book)
    }
    effects.push(...alternativesOf(text))
  }
  return effects
}

/** Text of files may name the architecture as scripts do (dpkg(1), DPKG_MAINTSCRIPT_ARCH). */
function forArchitecture(effect: Effect, architecture: string): Effect {
  if (effect.kind !== 'file' || effect.content === undefined) return effect
  return { ...effect, content: effect.content.replaceAll('$DPKG_MAINTSCRIPT_ARCH', architecture) }
}

function runComesLater(name: string, script: string, book: RecipeBook): SlipwayError {
  return new SlipwayError(
    'run-comes-later',
    `${book.recipes.get(name)!.file} says that the ${script} of ${name} must run, which comes with a later release: ` +
      'give it effects there, or list it under accept in appliance.yaml.',
  )
}

function unknownScript(
  subject: { readonly name: string; readonly version: string },
  script: string,
  left: string,
  digest: string,
  book: RecipeBook,
): SlipwayError {
  const recipe = book.recipes.get(subject.name)
  const why = !recipe
    ? 'no recipe is there for the package'
    : `${recipe.file} knows it only as it was in ${recipe.scripts.map((entry) => entry.read).join(', ')}`
  const file = recipe?.file ?? path.join(book.folders[0] ?? 'images/recipes', `${subject.name}.yaml`)
  return new SlipwayError(
    'unknown-script',
    `The ${script} of ${subject.name} ${subject.version} does something that no recipe describes (${why}).

What is left of it, without the sections that debhelper generated:

${left.replace(/^(?=.)/gm, '    ')}
Three ways on:

1. Say what it does on a new installation, in ${file}:

    ${recipe ? 'scripts:' : `package: ${subject.name}\n    scripts:`}
      - script: ${script}
        read: "${subject.version}"
        sha256:
          - ${digest}
        does: …
        effects: []

2. Leave it unrun, with a reason, in appliance.yaml:

    accept:
      - package: ${subject.name}
        script: ${script}
        sha256: ${digest}
        reason: …

3. Let the script run in a container while building ("run: true" in the recipe): this comes with a later release.`,
  )
}
