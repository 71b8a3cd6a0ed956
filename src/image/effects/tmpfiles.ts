import type { Effect } from '../../debian/effect.ts'
import { splitWords } from './words.ts'

/**
 * The directories, links, files and modes of a tmpfiles.d(5) file as effects; a folder that a package ships takes the
 * mode and owner of its line. Passed over: paths below /run, /tmp, /dev, /proc and /sys, which a container mounts; lines
 * for boot only (`!`), for credentials (`^`) and for the machine (`%` in the path); cleaning (`r`, `R`, `x`, `X`),
 * copying and writing into files (`C`, `w`), whole trees (`Z`), attributes, devices and pipes.
 */
export function tmpfilesEffects(text: string): Effect[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [type, path, rawMode = '-', rawOwner = '-', rawGroup = '-', , ...rest] = splitWords(line)
    if (!type || !path || type.startsWith('#') || /[!^]/.test(type) || path.includes('%')) return []
    if (!path.startsWith('/') || /^\/(run|tmp|dev|proc|sys|var\/run|var\/tmp)(\/|$)/.test(path)) return []
    const argument = rest.join(' ')
    const replace = type.includes('+')
    const owner = given(rawOwner) ?? 'root'
    const group = given(rawGroup) ?? 'root'
    const mode = given(rawMode)
    switch (type[0]) {
      case 'd':
      case 'D':
      case 'v':
      case 'q':
      case 'Q':
        return [
          { kind: 'directory', path, mode: octal(mode, 0o755), owner, group },
          ...changes(path, rawMode, rawOwner, rawGroup),
        ]
      case 'f':
      case 'F':
        return [{ kind: 'file', path, content: argument, mode: octal(mode, 0o644), owner, group, replace }]
      case 'L':
        return argument.includes('%')
          ? []
          : [{ kind: 'symlink', path, target: argument || `/usr/share/factory${path}`, replace }]
      case 'e':
      case 'z':
        return /[*?[]/.test(path) ? [] : changes(path, rawMode, rawOwner, rawGroup)
      default:
        return []
    }
  })
}

/** What becomes of a path that is there: only what the line names, and not what counts only when the path is made (`:`). */
function changes(path: string, rawMode: string, rawOwner: string, rawGroup: string): Effect[] {
  const [mode, owner, group] = [rawMode, rawOwner, rawGroup].map((text) =>
    text.includes(':') ? undefined : given(text),
  )
  const effects: Effect[] = []
  if (owner || group)
    effects.push({ kind: 'owner', path, ...(owner && { owner }), ...(group && { group }), optional: true })
  if (mode) effects.push({ kind: 'mode', path, mode: octal(mode, 0), optional: true })
  return effects
}

/** Modes and owners may be marked `:` (only when made) and `~` (masked). */
function given(text: string): string | undefined {
  const plain = text.replace(/^[:~]+/, '')
  return plain === '-' || plain === '' ? undefined : plain
}

function octal(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Number.parseInt(text, 8)
}
