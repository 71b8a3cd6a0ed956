import type { TarEntry } from '../../debian/tar-reader.ts'
import type { Report } from '../../lib/progress.ts'
import type { ImageSource } from '../image-source.ts'

/**
 * Runs maintainer scripts in a container. The builder itself knows no Engine: whoever has one passes this in; without
 * it a product whose scripts must run cannot be built, unless its layer is in the cache.
 */
export interface ScriptRunner {
  /** Throws `run-needs-engine`, `run-needs-platform`, `script-failed`; leaves nothing behind. */
  run(request: RunRequest): Promise<CapturedChanges>
}

export interface RunRequest {
  /** The image so far. */
  readonly image: ImageSource
  readonly steps: readonly RunStep[]
  /** Whether a path's content is wanted at all; what is not is not read. Relative paths. */
  readonly wanted: (path: string) => boolean
  readonly report: Report
  readonly signal: AbortSignal
}

export type RunStep =
  | { readonly kind: 'files'; readonly tar: Uint8Array }
  | {
      readonly kind: 'script'
      /** For people: "the postinst of acme-agent 1.2". */
      readonly title: string
      readonly command: readonly string[]
      readonly env: Readonly<Record<string, string>>
    }

/** What differs from the image after the last step. */
export interface CapturedChanges {
  /** New or changed paths as they are now; parents first. */
  readonly entries: readonly TarEntry[]
  /** Relative paths that are gone. */
  readonly deleted: readonly string[]
}
