/**
 * A word of a command that somebody is told to type, in quotes where a shell would take it apart: a path with a blank,
 * as people's folders on Windows have one. These quotes are those of sh, cmd and PowerShell alike.
 */
export function typedWord(word: string): string {
  if (/^[\p{L}\p{N}_@%+=:,./\\~-]+$/u.test(word)) return word
  return `"${word.replaceAll(/["$`]/g, '\\$&')}"`
}
