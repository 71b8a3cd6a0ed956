/** Where the packages come from: the `debian` part of a definition. */
export interface DebianSource {
  readonly suite: string
  /** Debian's archive components: main, contrib, non-free, non-free-firmware. */
  readonly archiveComponents: readonly string[]
  /** Whether `<suite>-updates` and `<suite>-security` are read beside the release. */
  readonly updates: boolean
  readonly security: boolean
  /** Absent: the host's own apt sources. */
  readonly mirror?: string
  readonly securityMirror?: string
  /** Archives asked for a locked file that the mirror no longer has. */
  readonly snapshots: readonly string[]
  /** Absolute paths of OpenPGP public keys (armored or binary) that may sign the archive. */
  readonly keyrings: readonly string[]
}
