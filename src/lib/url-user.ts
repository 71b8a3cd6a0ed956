/** The user that an address names, as "user:password" (RFC 3986, 3.2.1); undefined where it names none. */
export function userOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  return `${decode(username)}:${decode(password)}`
}

/** The same address without it: it belongs into a header, not into a request's first line. */
export function withoutUser(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

/** An address as errors may show it: without a user name and password, also where it cannot be read as one. */
export function shownUrl(url: string): string {
  const secret = URL.canParse(url) ? /^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i : /^([a-z][a-z0-9+.-]*:\/\/)?.*@/is
  return url.replace(secret, '$1')
}

/** A "%" that begins no code stands for itself: a password may hold one. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
