import { UnreadableLine } from './words.ts'

/** What is the same in every image. */
const fixed: Readonly<Record<string, string>> = {
  ...{ C: '/var/cache', L: '/var/log', S: '/var/lib', t: '/run', T: '/tmp', V: '/var/tmp' },
  ...{ h: '/root', u: 'root', U: '0', g: 'root', G: '0', '%': '%' },
}
/** What only a running machine has: boot ID, host names, machine ID, kernel. */
const ofMachine = new Set(['b', 'H', 'l', 'm', 'v'])

/**
 * A text with its specifiers replaced (tmpfiles.d(5), "Specifiers"); undefined where it is of the machine that it runs
 * on. Throws `UnreadableLine` for any other.
 */
export function expandSpecifiers(text: string): string | undefined {
  let isOfMachine = false
  const expanded = text.replace(/%(.?)/g, (whole, letter: string) => {
    if (ofMachine.has(letter)) isOfMachine = true
    else if (fixed[letter] === undefined) {
      throw new UnreadableLine(`has the specifier "${whole}", which Slipway does not know`)
    }
    return fixed[letter] ?? ''
  })
  return isOfMachine ? undefined : expanded
}
