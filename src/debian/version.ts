import type { Relation } from './dependency.ts'

/**
 * Orders two Debian versions: negative, zero or positive (Debian Policy 5.6.12, deb-version(7)). Epoch as a number,
 * then upstream version and revision by turns of non-digits (`~` before the end, letters before the rest) and numbers.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0
  const left = splitVersion(a)
  const right = splitVersion(b)
  return (
    compareParts(left.epoch, right.epoch) ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  )
}

/** Whether `version` stands in `relation` to `wanted` (Debian Policy 7.1). */
export function satisfies(version: string, relation: Relation, wanted: string): boolean {
  const order = compareVersions(version, wanted)
  switch (relation) {
    case '<<':
      return order < 0
    case '<=':
      return order <= 0
    case '=':
      return order === 0
    case '>=':
      return order >= 0
    case '>>':
      return order > 0
  }
}

interface VersionParts {
  readonly epoch: string
  readonly upstream: string
  readonly revision: string
}

function splitVersion(version: string): VersionParts {
  const colon = version.indexOf(':')
  const rest = colon < 0 ? version : version.slice(colon + 1)
  const hyphen = rest.lastIndexOf('-')
  return {
    epoch: colon < 0 ? '' : version.slice(0, colon),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  }
}

function compareParts(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = weight(a, i) - weight(b, j)
      if (difference !== 0) return difference
      i++
      j++
    }
    while (a[i] === '0') i++
    while (b[j] === '0') j++
    let firstDifference = 0
    while (isDigit(a, i) && isDigit(b, j)) {
      firstDifference ||= a.charCodeAt(i) - b.charCodeAt(j)
      i++
      j++
    }
    // The longer run of digits is the greater number, whatever its digits.
    if (isDigit(a, i)) return 1
    if (isDigit(b, j)) return -1
    if (firstDifference !== 0) return firstDifference
  }
  return 0
}

function isDigit(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code >= 48 && code <= 57
}

/** Place in the order: `~`, the end of the part (a digit ends it too), letters, everything else. */
function weight(text: string, index: number): number {
  if (index >= text.length || isDigit(text, index)) return 0
  const code = text.charCodeAt(index)
  if (code === 126) return -1
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
  return isLetter ? code : code + 256
}
