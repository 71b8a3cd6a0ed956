import { badInput } from '../../lib/errors.ts'
import { globPattern } from '../../lib/glob.ts'
import type { SourceEntry, TreeRule } from './source.ts'

/**
 * The mode that a path of a source gets: the last matching rule's, else its own. Set-id and sticky bits come by a rule
 * only; throws `bad-source` where the source has them without.
 */
export function sourceMode(rule: TreeRule, { path, mode, type }: SourceEntry): number {
  const found = rule.modes.findLast(({ glob }) => globPattern(glob).test(path))
  if (found && type !== 'symlink') return found.mode
  if ((mode & 0o6000) === 0) return mode & 0o777
  throw badInput(
    'bad-source',
    `${rule.path} has ${path} with a set-user-ID or set-group-ID bit; say under modes which mode it is to have.`,
  )
}
