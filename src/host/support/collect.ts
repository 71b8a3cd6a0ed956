import { redact, redacted } from './redact.ts'
import { redactJson } from './redact-json.ts'

/** One thing to look at, in at most `budget` milliseconds. Whatever it throws is noted, and the rest goes on. */
export interface Collector {
  readonly name: string
  readonly budget: number
  collect(signal: AbortSignal): Promise<readonly Finding[]>
}

/** A file of a bundle before its secrets are taken out: text, or a value that becomes JSON. */
export type Finding = { readonly path: string } & ({ readonly text: string } | { readonly value: unknown })

export interface EvidenceFile {
  readonly path: string
  readonly content: Buffer
  /** How many secrets were taken out. */
  readonly redactions: number
}

export interface CollectorResult {
  readonly name: string
  readonly outcome: 'done' | 'failed' | 'timed out'
  /** Milliseconds. */
  readonly took: number
  /** Why it did not get on. */
  readonly reason?: string
  readonly files: readonly EvidenceFile[]
}

/** A file larger than this loses its beginning; bytes. */
const largest = 8 * 1024 * 1024
/** So much more of it is searched: where the beginning is cut, a secret of many lines may have lost its name. */
const margin = 256 * 1024

/** Runs all collectors side by side, each within its budget; none of them can fail the whole. */
export function collectAll(collectors: readonly Collector[]): Promise<CollectorResult[]> {
  return Promise.all(collectors.map(runCollector))
}

async function runCollector({ name, budget, collect }: Collector): Promise<CollectorResult> {
  const began = performance.now()
  const took = (): number => Math.round(performance.now() - began)
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<'over'>((resolve) => {
    timer = setTimeout(() => resolve('over'), budget)
  })
  try {
    const work = collect(stop.signal)
    // What comes after its time is over is nobody's any more.
    work.catch(() => {})
    const found = await Promise.race([work, over])
    if (found !== 'over') return { name, outcome: 'done', took: took(), files: found.map(toFile) }
    return { name, outcome: 'timed out', took: took(), reason: `not done after ${budget} ms`, files: [] }
  } catch (error) {
    const reason = redact(error instanceof Error ? error.message : String(error))
    return { name, outcome: 'failed', took: took(), reason, files: [] }
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

function toFile(finding: Finding): EvidenceFile {
  const text =
    'text' in finding ? cleanEnd(finding.text) : `${JSON.stringify(redactJson(finding.value), null, 2)}\n`
  return { path: finding.path, content: Buffer.from(text), redactions: text.split(redacted).length - 1 }
}

/** The end tells more than the beginning. */
function cleanEnd(text: string): string {
  const searched = text.slice(-(largest + margin))
  const clean = redact(searched)
  const kept = clean.slice(-largest)
  const left = text.length - searched.length + clean.length - kept.length
  if (left === 0) return clean
  return `(${left} characters before this were left out)\n${kept.slice(kept.indexOf('\n') + 1)}`
}
