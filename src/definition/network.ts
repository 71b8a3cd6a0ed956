import { isIP } from 'node:net'

/** Whether a text is a network as "10.0.0.0/8" or "fc00::/7". */
export function isNetwork(text: string): boolean {
  const [address = '', prefix = '', ...more] = text.split('/')
  const family = isIP(address)
  if (more.length > 0 || family === 0 || !/^\d{1,3}$/.test(prefix)) return false
  return Number(prefix) <= (family === 4 ? 32 : 128)
}
