/** One path of an image, as a tar entry would hold it. Paths are relative, `/`-separated, without a leading `./`. */
export interface Entry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'character-device' | 'block-device' | 'fifo'
  /** Permission bits with set-id and sticky: 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch. */
  readonly mtime: number
  /** Symlink: the text of the link. Hardlink: the path of the target in the same layer. */
  readonly target?: string
  /** Regular files: the bytes; views over a SharedArrayBuffer where they come from a package. */
  readonly content?: Uint8Array
  /** The value of the security.capability attribute (vfs_cap_data, capabilities(7)). */
  readonly capability?: Uint8Array
}
