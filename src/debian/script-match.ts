import path from 'node:path'
import { sha256Hex } from '../lib/digest.ts'
import { SlipwayError } from '../lib/errors.ts'
import type { Effect } from './effect.ts'
import type { RecipeBook, ScriptRecipe } from './recipe.ts'
import { isEmptyScript, remainder, scriptDigest, scriptText } from './script.ts'
import { alternativesOf } from './script-alternatives.ts'

/** A script that the definition leaves unrun, by the digest of its remainder. */
export interface AcceptedScriptDigest {
  readonly package: string
  readonly script: string
  readonly sha256: string
}

/** A package as its scripts are looked up. */
export interface ScriptSubject {
  readonly name: string
  readonly version: string
  readonly architecture: string
}

/** A maintainer script whose recipe says that it must run itself. */
export interface ScriptToRun {
  readonly script: 'preinst' | 'postinst'
  /** Hex SHA-256 of the whole script. */
  readonly sha256: string
}

/**
 * The effects of a package's maintainer scripts, those that run when it is newly installed: preinst, then postinst
 * (Debian Policy 6.5). Scripts that must run themselves have none here. Throws `unknown-script` where no recipe and no
 * `accept` knows a script that does something.
 */
export function matchScripts(
  subject: ScriptSubject,
  control: ReadonlyMap<string, Uint8Array>,
  book: RecipeBook,
  accepted: readonly AcceptedScriptDigest[],
): Effect[] {
  return readScripts(subject, control, book, accepted).flatMap(({ text, recipe }) => [
    ...(recipe?.effects ?? []).map((effect) => forArchitecture(effect, subject.architecture)),
    ...(recipe?.run ? [] : alternativesOf(text)),
  ])
}

/** The scripts that must run, in the order in which dpkg runs them; throws as `matchScripts`. */
export function scriptsToRun(
  subject: ScriptSubject,
  control: ReadonlyMap<string, Uint8Array>,
  book: RecipeBook,
  accepted: readonly AcceptedScriptDigest[],
): ScriptToRun[] {
  if (!book.recipes.get(subject.name)?.scripts.some((recipe) => recipe.run)) return []
  return readScripts(subject, control, book, accepted)
    .filter(({ recipe }) => recipe?.run)
    .map(({ script, bytes }) => ({ script, sha256: sha256Hex(bytes) }))
}

interface ReadScript {
  readonly script: 'preinst' | 'postinst'
  readonly bytes: Uint8Array
  readonly text: string
  /** Absent: it does nothing, or is accepted as it is. */
  readonly recipe?: ScriptRecipe
}

function readScripts(
  subject: ScriptSubject,
  control: ReadonlyMap<string, Uint8Array>,
  book: RecipeBook,
  accepted: readonly AcceptedScriptDigest[],
): ReadScript[] {
  return (['preinst', 'postinst'] as const).flatMap((script): ReadScript[] => {
    const bytes = control.get(script)
    if (!bytes) return []
    const text = scriptText(bytes)
    const left = remainder(text)
    if (isEmptyScript(left)) return [{ script, bytes, text }]
    const digest = scriptDigest(left)
    const recipe = book.recipes
      .get(subject.name)
      ?.scripts.find((candidate) => candidate.script === script && candidate.sha256.includes(digest))
    const isAccepted = accepted.some(
      (entry) => entry.package === subject.name && entry.script === script && entry.sha256 === digest,
    )
    if (!recipe && !isAccepted) throw unknownScript(subject, script, left, digest, book)
    return [{ script, bytes, text, ...(recipe && !(recipe.run && isAccepted) && { recipe }) }]
  })
}

/** Text of files may name the architecture as scripts do (dpkg(1), DPKG_MAINTSCRIPT_ARCH). */
function forArchitecture(effect: Effect, architecture: string): Effect {
  if (effect.kind !== 'file' || typeof effect.content !== 'string') return effect
  return { ...effect, content: effect.content.replaceAll('$DPKG_MAINTSCRIPT_ARCH', architecture) }
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

3. Let the script itself run in a container while building: "run: true" in place of effects. That needs a Docker Engine.`,
  )
}
