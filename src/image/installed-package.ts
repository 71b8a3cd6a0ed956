import type { Entry } from './tree.ts'

/** A package as it was unpacked: control.tar's files, the entries that were kept, the paths that were left out. */
export interface InstalledPackage {
  readonly control: ReadonlyMap<string, Uint8Array>
  readonly entries: readonly Entry[]
  readonly omitted: readonly string[]
}
