import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { repository } from './slipway.ts'

/** What a reader of a document does: type a command, or write a file. */
export type TypedStep =
  | {
      readonly type: 'command'
      readonly env: Readonly<Record<string, string>>
      readonly words: readonly string[]
    }
  | { readonly type: 'file'; readonly file: string; readonly text: string }
  | { readonly type: 'output'; readonly text: string }

/**
 * The steps of a page of docs/, section by section (by the text of its `##` heading): each line of a ```sh block, each
 * block that begins with `# in FILE`, and each other ```text block, which is what the command before the last prints.
 */
export async function readTypedDoc(name: string): Promise<ReadonlyMap<string, readonly TypedStep[]>> {
  const text = (await readFile(path.join(repository, 'docs', name), 'utf8')).replaceAll('\r\n', '\n')
  const sections = new Map<string, TypedStep[]>()
  for (const section of text.split(/^## /m).slice(1)) {
    const heading = section.slice(0, section.indexOf('\n'))
    const steps = [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, kind, body]) =>
      stepsOf(kind!, body!),
    )
    sections.set(heading, steps)
  }
  return sections
}

function stepsOf(kind: string, body: string): TypedStep[] {
  const file = /^# in (\S+)\n/.exec(body)
  if (file) return [{ type: 'file', file: file[1]!, text: body.slice(file[0].length) }]
  if (kind === 'sh') return body.trimEnd().split('\n').map(command)
  return kind === 'text' ? [{ type: 'output', text: body }] : []
}

/** A line as a shell takes it: words, "quoted ones", and variables before them. */
function command(line: string): TypedStep {
  const words = [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''))
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word))
  const env = Object.fromEntries(words.slice(0, first).map((word) => word.split('=') as [string, string]))
  return { type: 'command', env, words: words.slice(first) }
}
