import { commandName } from '../lib/command-name.ts'
import { exitCodes, SlipwayError } from '../lib/errors.ts'

/** One mistake in one file of a product directory. */
export interface Problem {
  /** Relative to the product directory, with forward slashes. */
  readonly file: string
  /** 1-based; absent where the whole file is meant. */
  readonly line?: number
  /** Where in the file: "services.optimiser.memory", "platforms[0]"; empty for the whole. */
  readonly path: string
  /** What is wrong, what is allowed; a sentence without its full stop. */
  readonly text: string
}

/** A path into parsed YAML: keys and list positions. */
export type ValuePath = readonly (string | number)[]

/** Every mistake that was found, not just the first; exit code 2. */
export class DefinitionError extends SlipwayError {
  readonly problems: readonly Problem[]

  /** @param next what to do when it is corrected */
  constructor(problems: readonly Problem[], next = `run: ${commandName()} validate`) {
    const sentences = problems.map(problemSentence)
    super(
      'bad-definition',
      sentences.length === 1
        ? `${sentences[0]} Correct it, then ${next}`
        : `${sentences.length} mistakes in the definition:\n${sentences.map((line) => `  ${line}\n`).join('')}Correct them, then ${next}`,
      { exitCode: exitCodes.badInput },
    )
    this.problems = problems
  }
}

/** Throws a DefinitionError when there is any problem. */
export function refuseProblems(problems: readonly Problem[], next?: string): void {
  if (problems.length > 0) throw new DefinitionError(problems, next)
}

/** `file:line: text.`, the form that terminals and editors make a link of. */
export function problemSentence({ file, line, text }: Problem): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${text}${/[.?!]$/.test(text) ? '' : '.'}`
}

/** "services.optimiser.ports[0]". */
export function showPath(path: ValuePath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part)
    return text === '' ? key : `${text}.${key}`
  }, '')
}
