/** Part of a text: from `begin` up to `end`. */
export interface Span {
  readonly begin: number
  readonly end: number
}

/** How far an address's @ and the like are looked for. */
const farthest = 128

/** The word that begins at `begin`, up to a blank, a quote or a backslash. */
export function wordAt(text: string, begin: number): Span {
  let end = begin
  while (end < text.length && !/[\s"'\\]/.test(text[end]!)) end++
  return { begin, end }
}

/** "user:password": what stands behind the colon. "1000:1000" are ids. */
export function passwordAt(text: string, begin: number): Span | undefined {
  const from = text[begin] === '"' || text[begin] === "'" ? begin + 1 : begin
  const found = /^(?!\d+:\d+(?:\s|$))[^\s:"']*:/.exec(text.slice(from, from + farthest))
  return found ? wordAt(text, from + found[0].length) : undefined
}

/** A token behind "Bearer", wherever that stands. */
export function tokenAt(text: string, begin: number): Span | undefined {
  return /^[\w.~+/=-]{20}/.test(text.slice(begin, begin + 20)) ? wordAt(text, begin) : undefined
}

/** The password of a proxy's address without a scheme, behind the proxy's name: "u:p@host:3128". */
export function proxyPasswordAt(text: string, begin: number): Span | undefined {
  const found = /^["']?[ \t]*[=:]?[ \t]*["']?[^\s:@/"']+:(?!\/\/)([^\s@"']+)@/.exec(
    text.slice(begin, begin + farthest),
  )
  if (!found) return undefined
  const end = begin + found[0].length - 1
  return { begin: end - found[1]!.length, end }
}

/**
 * Of "//user:password@host", which begins behind its slashes: what stands between the first colon and the last @ of the
 * authority; a long user without a password is a token. `end`: where the authority ends.
 */
export function urlPasswordAt(
  text: string,
  begin: number,
): { readonly secret: Span | undefined; readonly end: number } {
  let colon = -1
  let at = -1
  let end = begin
  for (; end < text.length && text[end]! > ' ' && !/[/?#"'<>]/.test(text[end]!); end++) {
    if (text[end] === ':' && colon < 0) colon = end
    if (text[end] === '@') at = end
  }
  if (at > colon && colon >= 0) return { secret: { begin: colon + 1, end: at }, end }
  if (at > begin + 20) return { secret: { begin, end: at }, end }
  return { secret: colon >= 0 ? slashedPassword(text, colon + 1, end) : undefined, end }
}

/** A password with a slash in it, which should have been written %2F: no port is so. */
function slashedPassword(text: string, begin: number, end: number): Span | undefined {
  if (text[end] !== '/' || /^[\d\]:]*$/.test(text.slice(begin, Math.min(end, begin + 6)))) return undefined
  const found = /^[^\s"'<>@]*@/.exec(text.slice(end, end + farthest))
  return found ? { begin, end: end + found[0].length - 1 } : undefined
}
