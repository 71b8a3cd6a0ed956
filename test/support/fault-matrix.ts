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

  /** A Markdown table; what was not tried is taken from `former`, a table like this one, or is a dash. */
  table(faults: readonly string[], verbs: readonly string[], former = ''): string {
    const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
    const [header = [], , ...rows] = former.split('\n').map((line) => line.split(' | ').map(trim))
    const known = (fault: string, verb: string): string =>
      rows.find((cells) => cells[0] === fault)?.[header.indexOf(verb)] ?? '–'
    return [
      row(['fault', ...verbs]),
      row(['fault', ...verbs].map(() => '---')),
      ...faults.map((fault) =>
        row([fault, ...verbs.map((verb) => this.#cells.get(fault)?.get(verb) ?? known(fault, verb))]),
      ),
    ].join('\n')
  }
}

function trim(cell: string): string {
  return cell.replace(/^\| | \|$/g, '')
}

/** The table that docs/fault-matrix.md holds. With SLIPWAY_GOLDEN=write, what `table` makes of it is put there first. */
export async function documentedMatrix(table: (former: string) => string): Promise<string> {
  const text = await readFile(file, 'utf8')
  const from = text.indexOf(marks[0]) + marks[0].length
  const to = text.indexOf(marks[1])
  const former = text.slice(from, to).trim()
  if (process.env.SLIPWAY_GOLDEN !== 'write') return former
  const written = table(former)
  await writeFile(file, `${text.slice(0, from)}\n\n${written}\n\n${text.slice(to)}`)
  return written
}
