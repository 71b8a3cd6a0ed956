import type { Effect } from '../debian/effect.ts'
import { sysusersEffects } from './effects/sysusers.ts'
import { tmpfilesEffects } from './effects/tmpfiles.ts'
import type { Entry } from './tree.ts'

/** What a package declares in /usr/lib/sysusers.d and /usr/lib/tmpfiles.d, as effects. Throws `unknown-declaration`. */
export function declaredEffects(entries: readonly Entry[]): Effect[] {
  return entries.flatMap((entry) => {
    const [, folder] = /^(?:usr\/)?lib\/(sysusers|tmpfiles)\.d\/[^/]+\.conf$/.exec(entry.path) ?? []
    if (!folder || !entry.content) return []
    const text = Buffer.from(entry.content).toString('utf8')
    return folder === 'sysusers' ? sysusersEffects(text, entry.path) : tmpfilesEffects(text, entry.path)
  })
}
