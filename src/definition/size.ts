const units = { b: 0, k: 1, m: 2, g: 3, t: 4 } as const

/** What `parseSize` reads, for schemas and sentences alike. */
export const sizePattern = /^(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?$/i

/** Bytes of a size as Compose writes it: "512m", "2g", "1.5gb", "1048576"; powers of 1024. Undefined: not a size. */
export function parseSize(text: string | number): number | undefined {
  const [, digits, unit] = sizePattern.exec(String(text).trim()) ?? []
  if (digits === undefined) return undefined
  return Math.floor(Number(digits) * 1024 ** units[(unit || 'b').toLowerCase() as keyof typeof units])
}

/** The shortest whole form that `parseSize` reads back to the same bytes: "512m", "1536m", "1000". */
export function formatSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value !== 0 && value % 1024 === 0 && unit < 4) {
    value /= 1024
    unit++
  }
  return `${value}${['', 'k', 'm', 'g', 't'][unit]}`
}
