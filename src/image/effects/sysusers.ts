import type { Effect } from '../../debian/effect.ts'
import { splitWords } from './words.ts'

/**
 * The accounts of a sysusers.d(5) file as effects: `u` (and `u!`), `g`, `m` lines. An id of `-` or a path is left
 * open, for the definition to choose; ranges (`r`) matter only where ids are picked, so they are passed over.
 */
export function sysusersEffects(text: string): Effect[] {
  return text.split(/\r?\n/).flatMap((line): Effect[] => {
    const [type, name, id = '-', comment = '', home = '-', shell = '-'] = splitWords(line)
    if (!type || !name || type.startsWith('#')) return []
    if (type === 'g') return [{ kind: 'group', name, ...numeric('gid', id) }]
    if (type === 'm') return [{ kind: 'member', user: name, group: id }]
    if (!type.startsWith('u')) return []
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

function numeric<Key extends string>(key: Key, text: string): { [K in Key]?: number } {
  return (/^\d+$/.test(text) ? { [key]: Number(text) } : {}) as { [K in Key]?: number }
}
