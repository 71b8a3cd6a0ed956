import { type Failure, isUnknownAuthority, refusesClient, speaksNoTls } from '../../lib/http-failure.ts'

/** What is known of the registry that a request failed at. */
export interface FailedAt {
  readonly registry: string
  /** Folder for the certificates of its authorities. */
  readonly authority: string | undefined
  /** Whether there was a login to answer with. */
  readonly isKnown: boolean
}

/** Code of the error that a failed request is, and what to do about it. */
export function adviceFor(
  failure: Failure,
  { registry, authority, isKnown }: FailedAt,
): { code: string; advice: string } {
  const { status } = failure
  if (status === 401) {
    const login = `\`docker login ${registry}\``
    const renew = `it did not take the login that Docker has, which ${login} renews`
    return { code: 'registry-denied', advice: isKnown ? renew : `${login} logs in` }
  }
  if (status === 403) return { code: 'registry-denied', advice: `ask who runs ${registry} for the right` }
  if (status === 404) return { code: 'not-found', advice: 'check the name' }
  if (status === 405)
    return { code: 'registry-denied', advice: `${registry} may be a mirror that only reads` }
  if (status === 413) {
    const advice = `a server before it has a limit (nginx: client_max_body_size): ask who runs ${registry} to raise it to 8 MiB, or above the largest layer where the registry takes no chunks`
    return { code: 'registry-denied', advice }
  }
  if (isUnknownAuthority(failure)) {
    const advice = `put the authority's certificate into ${authority} as ca.crt, where Docker looks for it too`
    return { code: 'unknown-authority', advice }
  }
  if (refusesClient(failure)) {
    const advice = `put it and its key into ${authority} as client.cert and client.key, where Docker looks for them too`
    return { code: 'registry-denied', advice }
  }
  if (speaksNoTls(failure)) {
    const advice = `--insecure speaks plain http to it, which anybody on the way can read and alter`
    return { code: 'no-tls', advice }
  }
  // What is refused for good is refused again: a tag that may not move, an artifact of a kind that is not taken.
  if (status !== undefined && status >= 400 && status < 500 && !failure.retry) {
    const advice = `it will say the same again: ask who runs ${registry} which rule forbids it (such as tags that may not move, or kinds of artifacts that it does not take)`
    return { code: 'registry-denied', advice }
  }
  return { code: 'registry-failed', advice: 'run the same command again later' }
}
