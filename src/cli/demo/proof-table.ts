import { formatBytes } from '../../lib/bytes.ts'
import type { Proof, Sight } from './proof.ts'

/** The proof for people: a table of times and ratios, and a sentence. */
export function formatProof(proof: Proof): string[] {
  const megabits = proof.link.bitsPerSecond / 1e6
  const row = (name: string, sight: Sight): string[] => [
    name,
    formatTime(sight.lookup),
    formatRatio(proof.direct.lookup / sight.lookup),
    formatTime(sight.fetch),
    formatRatio(proof.direct.fetch / sight.fetch),
  ]
  const rows = [
    ['', 'name', '', formatBytes(proof.objectBytes), ''],
    row('directly', proof.direct),
    row('through the appliance, first', proof.first),
    row('through the appliance, again', proof.again),
  ]
  return [
    `A WAN link of ${proof.link.roundTrip} ms round trip and ${megabits} Mbit/s, simulated:`,
    '',
    ...alignColumns(rows).map((line) => `  ${line}`),
    '',
    explain(proof),
  ]
}

function explain(proof: Proof): string {
  const name = formatRatio(proof.direct.lookup / proof.again.lookup)
  const object = formatRatio(proof.direct.fetch / proof.again.fetch)
  const header = proof.cacheHeader ? ` (${proof.cacheHeader})` : ''
  return `Once one client has asked, the next one behind the appliance has the name ${name} and the object ${object} as fast${header}: the link carried neither a second time, and every byte was the same.`
}

/** Three digits: "84.2 ms", "4.17 s". */
export function formatTime(milliseconds: number): string {
  return milliseconds < 999.5 ? `${threeDigits(milliseconds)} ms` : `${threeDigits(milliseconds / 1000)} s`
}

/** "1.0×", "230×". */
export function formatRatio(ratio: number): string {
  return `${ratio < 9.95 ? ratio.toFixed(1) : ratio.toFixed(0)}×`
}

function threeDigits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
}

/** The first column to the left, the others to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}
