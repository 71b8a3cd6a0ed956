import type { OmitRule } from '../definition/definition.ts'
import { globPattern } from '../lib/glob.ts'

/** Says whether a path of a package (relative) is left out of the image by the definition's `omit` rules. */
export function compileOmit(rules: readonly OmitRule[]): (path: string) => boolean {
  const compiled = rules.map((rule) => ({
    omits: globPattern(rule.path),
    keeps: rule.except.map(globPattern),
  }))
  return (path) => {
    const absolute = `/${path}`
    return compiled.some(
      (rule) => rule.omits.test(absolute) && !rule.keeps.some((keep) => keep.test(absolute)),
    )
  }
}
