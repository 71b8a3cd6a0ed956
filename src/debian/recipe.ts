import type { Effect } from './effect.ts'

/** `images/recipes/<package>.yaml`: what a package's maintainer scripts do on a new installation, as data. */
export interface Recipe {
  readonly package: string
  /** Absolute path of the file. */
  readonly file: string
  readonly scripts: readonly ScriptRecipe[]
  readonly triggers: readonly TriggerRecipe[]
}

export interface ScriptRecipe {
  readonly script: 'preinst' | 'postinst'
  /** Version of the package that the script was read from. */
  readonly read: string
  /** Hex digests of the remainders that have these effects: several versions, or architectures. */
  readonly sha256: readonly string[]
  readonly does: string
  /** The script itself must run, in a container. */
  readonly run: boolean
  readonly effects: readonly Effect[]
}

/** What the package does when a dpkg trigger that it is interested in is set off (deb-triggers(5)). */
export interface TriggerRecipe {
  /** A trigger's name, or an absolute path that stands for the files below it. */
  readonly name: string
  readonly effects: readonly Effect[]
}

/** Recipes as they stand on disk, not yet read: package name → file and text with Unix line ends. */
export interface RecipeFiles {
  readonly folders: readonly string[]
  readonly files: ReadonlyMap<string, { readonly file: string; readonly text: string }>
}

export interface RecipeBook {
  /** Where the recipes were read from, in order; a new one goes in the first. */
  readonly folders: readonly string[]
  readonly recipes: ReadonlyMap<string, Recipe>
}
