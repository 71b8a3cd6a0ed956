import { commandName, isBranded } from '../lib/command-name.ts'
import { errorCode, exitCodes, SlipwayError } from '../lib/errors.ts'
import type { Endpoint } from './endpoint.ts'

/** What dockerode throws for an answer that is an error. */
interface EngineAnswer {
  readonly statusCode: number
  readonly text: string
}

/** What an Engine answers with 500 where a container is asked for files or facts in the middle of its removal. */
const beingRemoved =
  /^RWLayer (?:of container \/?(\S+) is unexpectedly nil|is unexpectedly nil for container (\S+))$/

/** What an Engine answers with 409 to whoever removes a container that somebody is removing already. */
const removedElsewhere = /^removal of container (\S+) is already in progress$/

/** Turns whatever a call to the Engine threw into one sentence with a next command. SlipwayErrors pass unchanged. */
export function translateError(error: unknown, endpoint: Endpoint): SlipwayError {
  if (error instanceof SlipwayError) return error
  const answer = readAnswer(error)
  if (answer) return translateAnswer(answer.text, answer.statusCode, error)
  return translateConnection(error, endpoint)
}

/** Whether an error is the Engine's 404, or its 500 on its way there: the thing asked for is not there, or going. */
export function isNotFound(error: unknown): boolean {
  const answer = readAnswer(error)
  return answer !== undefined && (answer.statusCode === 404 || beingRemoved.test(answer.text))
}

/** Whether an Engine with containerd's image store says that an image went or changed while it looked: ask again. */
export function isInTransit(error: unknown): boolean {
  return readAnswer(error)?.text.startsWith('consistency error: data changed during operation') === true
}

/** What a question came to; undefined where the Engine has no such thing. */
export async function unlessNotFound<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** The 304 of starting what runs or stopping what is stopped. */
export function isUnchanged(error: unknown): boolean {
  return readAnswer(error)?.statusCode === 304
}

/** An error text of the Engine, from an answer or from the middle of a JSON stream, as a SlipwayError. */
export function translateAnswer(text: string, statusCode = 500, cause?: unknown): SlipwayError {
  const unbound = readUnbound(text)
  if (unbound) return translateUnbound(unbound, cause)
  if (/no space left on device/i.test(text)) {
    return failure(
      'no-space',
      `The Docker host's disk is full (${text}); \`docker system df\` shows what fills it: make room, then run the same command again.`,
      cause,
    )
  }
  const name = /container name "\/?([^"]+)" is already in use by container "?([0-9a-f]{12})?/.exec(text)
  if (name) {
    return failure(
      'name-taken',
      `A container named ${name[1]} exists already${name[2] ? ` (${name[2]})` : ''}; \`docker inspect ${name[1]}\` shows whose it is: remove or rename it, or choose another --name.`,
      cause,
    )
  }
  const image = /no such image:? ?(\S+)?/i.exec(text)
  if (image) {
    const bring = isBranded()
      ? '`sh install.sh` beside its bundle brings it'
      : `\`${commandName()} build --load\` builds and loads it`
    return failure(
      'no-such-image',
      `The Docker Engine has no image ${image[1] ?? 'of that name'}; ${bring}.`,
      cause,
    )
  }
  const gone = goneThing(text, statusCode)
  if (gone) {
    return failure('gone', `The Docker Engine has no ${gone} any more; run the same command again.`, cause)
  }
  if (/client version .* is too (old|new)/i.test(text)) {
    return failure(
      'api-mismatch',
      `The Docker Engine refuses this API version: ${text}; \`docker version\` shows what it speaks.`,
      cause,
    )
  }
  if (statusCode === 409) {
    return failure(
      'conflict',
      `The Docker Engine refused: ${text}; \`${commandName()} status\` shows what is there.`,
      cause,
    )
  }
  return failure(
    'engine-refused',
    `The Docker Engine refused: ${text || `HTTP status ${statusCode}`}; its log (\`journalctl -u docker\`) tells more.`,
    cause,
  )
}

/** The kind and name of the thing that an Engine says is not there. */
function goneThing(text: string, statusCode: number): string | undefined {
  const removed = beingRemoved.exec(text) ?? removedElsewhere.exec(text)
  if (removed) return `container ${(removed[1] ?? removed[2]!).replace(/^([0-9a-f]{12})[0-9a-f]{52}$/, '$1')}`
  const gone = /no such (container|volume|network):? ?(\S+)?|(network|volume) (\S+) not found/i.exec(text)
  if (!gone || statusCode !== 404) return undefined
  return `${(gone[1] ?? gone[3])!.toLowerCase()} ${gone[2] ?? gone[4] ?? 'of that name'}`
}

/** A port of the host that an Engine could not bind. */
interface Unbound {
  readonly why: 'taken' | 'not allowed' | 'no such address'
  readonly address: string
  readonly port: string
  /** Absent: it does not say. */
  readonly protocol?: string
}

/** The wordings of dockerd and Docker Desktop, of any Engine up to 27. */
const listening = [
  /Bind for (?<address>\S*):(?<port>\d+) failed: port is already allocated/i,
  /listen (?<protocol>tcp|udp)[46]? (?<address>\S*):(?<port>\d+): bind:/i,
  /exposing port (?<protocol>TCP|UDP) (?<address>\S*):(?<port>\d+)/i,
]

/** How Engine 28 ("for 0.0.0.0:53:172.18.0.2:53/udp") and 29 ("0.0.0.0:53/udp") begin to say it, whatever the reason. */
const binding =
  /failed to bind host port (?:\d+ )?(?:for )?(?<address>\[[^\]]*\]|[\d.]+):(?<port>\d+)\S*\/(?<protocol>tcp|udp): /i

function readUnbound(text: string): Unbound | undefined {
  const listened = firstMatch(listening, text)
  const { address = '', port = '', protocol } = (listened ?? binding.exec(text))?.groups ?? {}
  if (port === '') return undefined
  const place = { address, port, ...(protocol && { protocol: protocol.toLowerCase() }) }
  if (address !== '' && /: (?:cannot|can't) assign requested address/i.test(text))
    return { why: 'no such address', ...place }
  if (/: permission denied/i.test(text)) return { why: 'not allowed', ...place }
  const isTaken = listened || /: address already in use/i.test(text)
  return isTaken ? { why: 'taken', ...place } : undefined
}

function firstMatch(patterns: readonly RegExp[], text: string): RegExpExecArray | undefined {
  for (const pattern of patterns) {
    const match = pattern.exec(text)
    if (match) return match
  }
  return undefined
}

function translateUnbound({ why, address, port, protocol }: Unbound, cause: unknown): SlipwayError {
  switch (why) {
    case 'no such address':
      return failure(
        'no-address',
        `The Docker host has no address ${address} to publish a port on; \`ip address\` shows those it has: give the profile one of them, then run the same command again.`,
        cause,
      )
    case 'not allowed':
      return failure(
        'port-not-allowed',
        `The Docker Engine may not publish port ${port}, as it does not run as root; let it (\`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port}\`), or give the profile a port from 1024 on, then run the same command again.`,
        cause,
      )
    case 'taken':
      return failure(
        'port-taken',
        `Port ${protocol ? `${port}/${protocol}` : port} on the Docker host is already in use; \`docker ps\` and \`ss -lpntu\` show by what: stop that, or give the profile another port, then run the same command again.`,
        cause,
      )
  }
}

function translateConnection(error: unknown, endpoint: Endpoint): SlipwayError {
  const code = errorCode(error) ?? ''
  const where = `${endpoint.address}${endpoint.source === 'default' ? '' : ` (from ${endpoint.source})`}`
  if (code === 'EACCES' || code === 'EPERM') {
    return unreached(
      'engine-permission',
      `This user may not use the Docker Engine at ${where}: run the command with sudo, or \`sudo usermod -aG docker $USER\` and log in again.`,
      error,
    )
  }
  if (
    [
      'ENOENT',
      'ECONNREFUSED',
      'ENOTFOUND',
      'EAI_AGAIN',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ETIMEDOUT',
      'ENOTSOCK',
    ].includes(code)
  ) {
    return unreached(
      'no-engine',
      `No Docker Engine answers at ${where}: ${startHint(endpoint)}, then run the same command again.`,
      error,
    )
  }
  if (/^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS|ERR_SSL|EPROTO|HOSTNAME_MISMATCH)/.test(code)) {
    return unreached(
      'engine-tls',
      `The Docker Engine at ${where} and this machine do not trust each other (${code}): check ca.pem, cert.pem and key.pem in DOCKER_CERT_PATH.`,
      error,
    )
  }
  if (
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    (error instanceof Error && /socket hang up|aborted/.test(error.message))
  ) {
    return failure(
      'engine-gone',
      `The Docker Engine at ${where} closed the connection in the middle: \`docker info\` shows whether it is back; then run the same command again.`,
      error,
    )
  }
  const text = error instanceof Error ? error.message.trim() : String(error)
  return failure(
    'engine-failed',
    `The Docker Engine at ${where} could not be used: ${text}; \`docker info\` tells more.`,
    error,
  )
}

function startHint(endpoint: Endpoint): string {
  if (endpoint.transport === 'npipe') return 'start Docker Desktop'
  if (endpoint.transport === 'unix' && endpoint.source === 'default')
    return '`systemctl start docker` starts it'
  return 'start it there, or point DOCKER_HOST at another'
}

function readAnswer(error: unknown): EngineAnswer | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number')
    return undefined
  const json = 'json' in error ? error.json : undefined
  const message = typeof json === 'object' && json !== null && 'message' in json ? json.message : undefined
  const text = typeof message === 'string' ? message : error.message.replace(/^\(HTTP code \d+\) [^-]*- /, '')
  return { statusCode: error.statusCode, text: text.trim().replace(/\.$/, '') }
}

/** The host has no Engine that this user could use. */
function unreached(code: string, message: string, cause: unknown): SlipwayError {
  return new SlipwayError(code, message, { cause, exitCode: exitCodes.preflightFailed })
}

function failure(code: string, message: string, cause: unknown): SlipwayError {
  return new SlipwayError(code, message, { cause })
}
