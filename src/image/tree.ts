import type { TarEntry } from '../debian/tar-reader.ts'

/**
 * One path of an image, as a tar entry would hold it. Paths are relative, `/`-separated, without a leading `./`.
 * Contents are views over a SharedArrayBuffer where they come from a package.
 */
export interface Entry extends Omit<TarEntry, 'type'> {
  readonly type: TarEntry['type'] | 'character-device' | 'block-device' | 'fifo'
}
