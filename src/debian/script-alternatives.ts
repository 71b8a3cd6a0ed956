import { SlipwayError } from '../lib/errors.ts'
import type { AlternativeEffect } from './effect.ts'
import { splitSections } from './script-sections.ts'

/**
 * The `update-alternatives --install` calls of a script's dh_installalternatives sections, as effects
 * (update-alternatives(1)). Throws `unreadable-alternative` where a call has another form than debhelper writes.
 */
export function alternativesOf(script: string): AlternativeEffect[] {
  return splitSections(script)
    .filter((part) => part.kind === 'dh_installalternatives')
    .flatMap((part) => callsOf(part.text).map(readCall))
}

function callsOf(section: string): string[] {
  return section
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line.startsWith('update-alternatives '))
}

function readCall(call: string): AlternativeEffect {
  const words = call.split(' ').map((word) => word.replace(/^(["'])(.*)\1$/, '$2'))
  const fail = (): never => {
    throw new SlipwayError(
      'unreadable-alternative',
      `The alternative "${call}" is written in a way that Slipway does not know; give the package a recipe with its effects.`,
    )
  }
  if (words[1] !== '--install' || words.length < 6 || /[$`"';&|<>()]/.test(words.join(' '))) fail()
  const [, , link, name, path, priority, ...rest] = words
  if (!/^-?\d+$/.test(priority!) || rest.length % 4 !== 0) fail()
  const slaves = []
  for (let index = 0; index < rest.length; index += 4) {
    if (rest[index] !== '--slave') fail()
    slaves.push({ link: rest[index + 1]!, name: rest[index + 2]!, path: rest[index + 3]! })
  }
  return { kind: 'alternative', link: link!, name: name!, path: path!, priority: Number(priority), slaves }
}
