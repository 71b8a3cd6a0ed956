import type { Effect } from '../../debian/effect.ts'
import { readLines } from './config-lines.ts'
import { parseTmpfilesLine, type TmpfilesLine } from './tmpfiles-line.ts'

/** Below these nothing is of the image: a container mounts them, or finds them empty. */
const notOfImage = /^\/+(run|tmp|dev|proc|sys|var\/+run|var\/+tmp)(\/|$)/
/** Types whose paths may be patterns: they come after all others of a file, as in systemd-tmpfiles(8). */
const matching = new Set('wezZmtTaA')

/**
 * What a tmpfiles.d(5) file does to an image, as effects. Nothing are lines for boot (`!`), for credentials (`^`) and
 * for a machine (`%m`), paths that a container mounts, cleaning (`x`, `X`, `r`, `R` and every age), devices, and file
 * attributes, which no layer holds. Throws `unknown-declaration` for whatever cannot be read.
 */
export function tmpfilesEffects(text: string, file = 'usr/lib/tmpfiles.d'): Effect[] {
  const lines = readLines(file, text, (raw) => {
    const line = parseTmpfilesLine(raw)
    return line && !notOfImage.test(line.path) ? [line] : []
  })
  const isMatching = ({ type }: TmpfilesLine): boolean => matching.has(type)
  return [...lines.filter((line) => !isMatching(line)), ...lines.filter(isMatching)].flatMap(effectsOf)
}

function effectsOf(line: TmpfilesLine): Effect[] {
  const { type, path, argument, modifiers } = line
  const { mode, owner = 'root', group = 'root' } = line
  const replace = modifiers.has('+')
  switch (type) {
    case 'd':
    case 'D':
    case 'v':
    case 'q':
    case 'Q':
      return [{ kind: 'directory', path, mode: mode ?? 0o755, owner, group }, ...changes(line)]
    case 'f':
    case 'F': {
      const file = { path, content: argument ?? '', mode: mode ?? 0o644, owner, group }
      return [{ kind: 'file', ...file, replace: replace || type === 'F' }, ...changes(line)]
    }
    case 'p':
      return [{ kind: 'fifo', path, mode: mode ?? 0o644, owner, group, replace }, ...changes(line)]
    case 'L': {
      const target = String(argument ?? factory(path))
      return [
        {
          kind: 'symlink',
          path,
          target,
          replace,
          ...(modifiers.has('?') && { onlyToExisting: true as const }),
        },
      ]
    }
    case 'C': {
      const facts = {
        ...(mode !== undefined && { mode }),
        ...(line.owner && { owner }),
        ...(line.group && { group }),
      }
      const from = String(argument ?? factory(path))
      return [{ kind: 'copy', from, path, merge: replace, ...facts }, ...changes(line)]
    }
    case 'w':
      return [
        { kind: 'write', path, content: argument!, append: replace },
        ...changes(line, { isPattern: true }),
      ]
    case 'e':
      return changes(line, { isPattern: true, only: 'directory' })
    case 'z':
    case 'm':
      return changes(line, { isPattern: true })
    case 'Z':
      return changes(line, { isPattern: true, isRecursive: true })
    case 't':
    case 'T':
    case 'a':
    case 'A':
      return [{ kind: 'unsupported', path, what: /t/i.test(type) ? 'extended attributes' : 'access lists' }]
    default:
      return []
  }
}

/** What becomes of a path that is there: only what the line names, and not what counts only when the path is made. */
function changes(
  line: TmpfilesLine,
  how: { readonly isPattern?: true; readonly isRecursive?: true; readonly only?: 'directory' } = {},
): Effect[] {
  const { path, mode, owner, group, isMasked, onlyMade } = line
  const change = {
    ...(mode !== undefined && !onlyMade.has('mode') && { mode, ...(isMasked && { isMasked }) }),
    ...(owner !== undefined && !onlyMade.has('owner') && { owner }),
    ...(group !== undefined && !onlyMade.has('group') && { group }),
  }
  return Object.keys(change).length === 0 ? [] : [{ kind: 'adjust', path, ...change, ...how }]
}

function factory(path: string): string {
  return `/usr/share/factory${path}`
}
