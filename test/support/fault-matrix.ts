import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { repository } from './slipway.ts'

const file = path.join(repository, 'docs', 'fault-matrix.md')
const marks = ['<!-- made by test/integration/faults.test.ts from here -->', '<!-- to here -->'] as const

/** What each cell of the matrix did, in words that are the same on every run: fault → verb → words. */
export class FaultMatrix {
  readonly #cells = new Map<string, Map<string, string>>()

  note(fault: string, verb: string, words: string): void {
    const row = this.#cells.get(fault) ?? new Map<string, string>()
    this.#cells.set(fault, row.set(verb, words))
  }

  /** A Markdown table; a cell that was not tried is a dash. */
  table(verbs: readonly string[]): string {
    const faults = [...this.#cells.keys()]
    const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
    return [
      row(['fault', ...verbs]),
      row(['fault', ...verbs].map(() => '---')),
      ...faults.map((fault) =>
        row([fault, ...verbs.map((verb) => this.#cells.get(fault)?.get(verb) ?? '–')]),
      ),
    ].join('\n')
  }
}

/** The table that docs/fault-matrix.md holds. With SLIPWAY_GOLDEN=write, `table` is put there first. */
export async function documentedMatrix(table: string): Promise<string> {
  const text = await readFile(file, 'utf8')
  const from = text.indexOf(marks[0]) + marks[0].length
  const to = text.indexOf(marks[1])
  if (process.env.SLIPWAY_GOLDEN === 'write') {
    await writeFile(file, `${text.slice(0, from)}\n\n${table}\n\n${text.slice(to)}`)
    return table
  }
  return text.slice(from, to).trim()
}
