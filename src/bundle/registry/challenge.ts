/** What a registry asks for before it answers (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: "bearer", "basic". */
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Reads a WWW-Authenticate header, which may hold several challenges; what cannot be read is left out. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  const word = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y
  for (let match = word.exec(header); match; match = word.exec(header)) {
    const [, name = '', quoted, plain] = match
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1')
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} })
    else Object.assign(challenges.at(-1)?.parameters ?? {}, { [name.toLowerCase()]: value })
  }
  return challenges
}
