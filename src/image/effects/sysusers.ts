import type { Effect } from '../../debian/effect.ts'
import { readLines } from './config-lines.ts'
import { expandSpecifiers } from './specifiers.ts'
import { splitWords, UnreadableLine } from './words.ts'

/**
 * The accounts of a sysusers.d(5) file as effects: `u` (and `u!`), `g`, `m` lines. An id of `-` or a path is left
 * open, for the definition to choose; ranges (`r`) matter only where ids are picked, so they are passed over. Throws
 * `unknown-declaration` for any other.
 */
export function sysusersEffects(text: string, file = 'usr/lib/sysusers.d'): Effect[] {
  return readLines(file, text, (line): Effect[] => {
    const [type = '', name, id = '-', comment = '', home = '-', shell = '-'] = splitWords(line).map(ofImage)
    if (type === 'r') return []
    if (!['u', 'u!', 'g', 'm'].includes(type))
      throw new UnreadableLine(`has the type "${type}", which Slipway does not know`)
    if (!name) throw new UnreadableLine('names no account')
    if (type === 'g') return [{ kind: 'group', name, ...numeric('gid', id) }]
    if (type === 'm') return [{ kind: 'member', user: name, group: id }]
    const [uid, group] = id.split(':')
    const user: Effect = {
      kind: 'user',
      name,
      ...numeric('uid', uid!),
      group: group ?? name,
      home: home === '-' ? '/' : home,
      shell: shell === '-' ? '/usr/sbin/nologin' : shell,
      comment: comment === '-' ? '' : comment,
    }
    return group === undefined ? [{ kind: 'group', name, ...numeric('gid', uid!) }, user] : [user]
  })
}

/** An account cannot be left for the machine to make: nobody would when the container starts. */
function ofImage(word: string): string {
  const expanded = expandSpecifiers(word)
  if (expanded === undefined)
    throw new UnreadableLine(`names an account by the machine that it is on ("${word}")`)
  return expanded
}

function numeric<Key extends string>(key: Key, text: string): { [K in Key]?: number } {
  return (/^\d+$/.test(text) ? { [key]: Number(text) } : {}) as { [K in Key]?: number }
}
