const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** A size for people: SI units, three digits ("36.2 MB"). */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${units[unit]}`
}

/** Memory is capped in powers of two: 64 MiB is what a profile calls 64m. */
export function formatMemory(bytes: number): string {
  const gibibytes = bytes / 2 ** 30
  if (gibibytes >= 10) return `${Math.round(gibibytes * 10) / 10} GiB`
  if (gibibytes >= 1 && Number.isInteger(gibibytes * 4)) return `${gibibytes} GiB`
  const mebibytes = bytes / 2 ** 20
  return `${Number.isInteger(mebibytes) ? mebibytes : mebibytes.toFixed(1)} MiB`
}
