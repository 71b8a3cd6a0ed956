/** What an Authorization header's value, or a cookie's, runs to: the end of its line. */
export const headers: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
])

/** Names that a value follows without a sign, wherever in a line: HAProxy's "user NAME insecure-password VALUE". */
export const inWords: ReadonlySet<string> = new Set(['insecure-password', 'snmp_community'])

/** Words that set the header behind them: HAProxy's, Squid's, nginx's. */
export const setsHeader =
  /^(?:(?:set|add|replace)-header|hdr|request_header_add|reply_header_add|\w*set_header)$/i

/** Lines of a configuration with a name and one word. */
export const nameAndWord: ReadonlySet<string> = new Set([
  'password',
  'passwd',
  'pass',
  'secret',
  'requirepass',
  'masterauth',
])

/** Squid's lines that call helpers, whose -w is a password (basic_ldap_auth(8), basic_radius_auth(8)). */
export const callsHelper: ReadonlySet<string> = new Set(['auth_param', 'external_acl_type'])

/** curl's options with "user:password". */
export const curlUser: ReadonlySet<string> = new Set(['-u', '--user', '--proxy-user', '-U'])

/** dnsmasq's option for an iSCSI password, behind its name: "=encap:175, 191, VALUE" (dnsmasq.conf.example). */
export const iscsiPassword =
  /[ \t]*[= ][ \t]*(?:[^\n,]{1,40},[ \t]*){0,3}?encap:175[ \t]*,[ \t]*191[ \t]*,[ \t]*/y

/** dnsmasq's word for who asks Umbrella, behind its name. */
export const umbrellaDevice = /:(?=[0-9A-Fa-f]{8})/y

/** What YAML writes before the lines of a block. */
export const blockMark = /(?:[!&][^\s]{0,80}[ \t]{1,8}){0,2}[|>][-+0-9]{0,2}[ \t]*(?:#[^\n]*)?(?=\r?\n|$)/y

/** A key of a map, in YAML or JSON. */
export const mapKey = /["']?[\w./-]{1,64}["']? ?:(?=\s|$)/y

/** The last word of a line. */
export const oneWord = /\S+[ \t]*(?=\r?\n|$)/y

/** What ends the value of an environment's variable: another name, or an option. */
export const anotherName = /[ \t]+(?:[\w.-]{1,64}[ \t]?[=:]|--?\w)/y

/** Whether a sticky expression matches at a place, and where the match ends. */
export function matchEnd(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}
