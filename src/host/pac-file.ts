/**
 * A proxy auto-configuration file for browsers: web addresses go through the first of `proxies` ("192.0.2.7:3128") that
 * answers, and directly where none does, so that a dead appliance cuts nobody off. Names and addresses of the site
 * itself go directly, and no name is looked up to tell; so do ports that the proxy refuses (squid.conf, safe_ports and
 * tls_ports), since a browser takes its refusal for an answer and goes no other way. `title` says in a comment whose it is.
 */
export function pacFile(proxies: readonly string[], title: string): string {
  const route = [...proxies.map((proxy) => `PROXY ${proxy}`), 'DIRECT'].join('; ')
  return `// ${title.replace(/[^\x20-\x7e]+/g, ' ')}: what goes through it. Without it, everything goes directly.
function FindProxyForURL(url, host) {
  var name = host.toLowerCase()
  if (!/^https?:/i.test(url)) return 'DIRECT'
  if (name.indexOf('.') < 0 || /(^|\\.)(localhost|local|lan|internal|home\\.arpa)\\.?$/.test(name)) return 'DIRECT'
  if (/^(127|10)(\\.\\d+){3}$/.test(name) || /^(192\\.168|169\\.254)(\\.\\d+){2}$/.test(name)) return 'DIRECT'
  if (/^172\\.(1[6-9]|2\\d|3[01])(\\.\\d+){2}$/.test(name)) return 'DIRECT'
  var port = Number((/^https?:\\/\\/[^\\/]*:(\\d+)(\\/|$)/i.exec(url) || [])[1] || 0)
  if (/^https:/i.test(url) ? port && port !== 443 : port && port !== 80 && port < 1025) return 'DIRECT'
  return '${route}'
}
`
}
