import { quoted } from './refuse.ts'

/** What Windows keeps for devices, with whatever ending ("Naming Files, Paths, and Namespaces", Win32). */
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

/**
 * Why a host of some system could not hold these files as they are named, in words that follow "it"; undefined where
 * all can. Linux takes nearly any name, Windows and macOS do not, and take names for one that differ in case. Pure.
 */
export function pathsFault(paths: readonly string[]): string | undefined {
  const spellings = new Map<string, string>()
  for (const path of paths) {
    const parts = path.split('/')
    const odd =
      path.length > 255 || parts.some((part) => !/^[\x21-\x7e]+$/.test(part) || /[<>:"\\|?*]|\.$/.test(part))
    if (odd || parts.some((part) => device.test(part)))
      return `holds ${quoted(path)}, a name that not every system takes`
    for (const [index] of parts.entries()) {
      const isFile = index === parts.length - 1
      const spelling = parts.slice(0, index + 1).join('/') + (isFile ? '' : '/')
      const folded = parts
        .slice(0, index + 1)
        .join('/')
        .toLowerCase()
      const other = spellings.get(folded)
      if (other !== undefined && (isFile || other !== spelling))
        return `holds ${quoted(other)} and ${quoted(spelling)}, which not every system tells apart`
      spellings.set(folded, spelling)
    }
  }
  return undefined
}
