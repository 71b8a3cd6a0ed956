import { sha256Hex } from '../lib/digest.ts'
import { splitSections } from './script-sections.ts'

/**
 * What is left of a maintainer script after the sections that debhelper generated and that have no effect in an
 * image, or whose effect is data read elsewhere (systemd units, init links, tmpfiles.d, sysusers.d, alternatives).
 * Line ends, trailing blanks, runs of empty lines and debhelper's version are normalised, so that a rebuild of the
 * same script leaves the same text.
 */
export function remainder(scriptText: string): string {
  const kept = splitSections(scriptText)
    .filter((part) => part.kind === undefined || !part.isData)
    .map((part) => part.text)
    .join('\n')
  const lines = kept.split('\n').map((line) => line.trimEnd())
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}

/** Lines that do nothing. Anything else, however harmless, needs a recipe. */
const idle = [
  /^#/,
  /^$/,
  /^set [-+][eu]+$/,
  /^(:|true)$/,
  /^case "?\$1"? in$/,
  // Without the parenthesis that a pattern may begin with: "(ldconfig)" by itself is a command.
  /^[a-z][a-z-]*(\s*\|\s*[a-z][a-z-]*)*\)(\s*(:|true|exit 0)?\s*;;)?$/,
  /^\*\)$/,
  /^;;$/,
  /^esac$/,
  /^exit 0;?$/,
  /^echo "[a-z]+ called with unknown argument \\?`\$1'" *>&2$/,
]

/** Whether a remainder does nothing: a shell script of comments, `set -e`, `exit 0` and empty `case` skeletons. */
export function isEmptyScript(remainderText: string): boolean {
  const lines = remainderText.split('\n').map((line) => line.trim())
  if (lines.every((line) => line === '')) return true
  if (!/^#! ?\/(usr\/)?bin\/(ba|da)?sh( -[eu]+)?$/.test(lines[0]!)) return false
  return lines.every(
    (line, index) =>
      idle.some((pattern) => pattern.test(line)) ||
      // `exit 1` only as the answer to an unknown argument, which dpkg never gives.
      (/^exit 1$/.test(line) && /called with unknown argument/.test(lines[index - 1] ?? '')),
  )
}

/** Hex SHA-256 of a remainder: what recipes and `accept` name a script by. */
export function scriptDigest(remainderText: string): string {
  return sha256Hex(remainderText)
}

/** A script's text; bytes that are no UTF-8 are read as Latin-1, so that every byte still counts in the digest. */
export function scriptText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return Buffer.from(bytes).toString('latin1')
  }
}
