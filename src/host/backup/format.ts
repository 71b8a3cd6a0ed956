/**
 * A backup is one .tar.gz: `backup.json` (the header), then what each archive holds in parts of at most 4 MiB, then
 * `manifest.json` with the SHA-256 of every member. Parts, because a tar states a member's size before its content,
 * and nobody knows a volume's before it was read; `cat volumes/cache.tar.* | tar t` reads one by hand.
 */
export const backupFormat = 1
export const partSize = 4 * 1024 * 1024

export const headerName = 'backup.json'
export const manifestName = 'manifest.json'

export interface BackupHeader {
  readonly kind: 'slipway-backup'
  readonly format: number
  /** The appliance's name on the host that it was taken from. */
  readonly name: string
  readonly product: string
  readonly release: string
  /** IDs of the images that its services ran. */
  readonly images: readonly string[]
  readonly profile: string
  /** Settings over the profile, as `--set` takes them: "dns.port" → "1053". */
  readonly settings: Readonly<Record<string, string>>
  /** ISO 8601. */
  readonly created: string
  /** In the order in which they follow. */
  readonly archives: readonly BackupArchive[]
}

/** A tar, as the Engine gave it: of a volume, with paths relative to it, or of changed files, relative to the root. */
export interface BackupArchive {
  readonly type: 'volume' | 'configuration'
  /** The volume's key in the Compose file, or the service. */
  readonly of: string
  /** What the volume holds, where its product says so. */
  readonly holds?: string
  /** Of changed files: the absolute paths. */
  readonly paths?: readonly string[]
}

export interface BackupManifest {
  /** Every member before the manifest, in order. */
  readonly members: readonly BackupMember[]
}

export interface BackupMember {
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** "volumes/cache.tar", which a part's number follows. */
export function archiveName({ type, of }: BackupArchive): string {
  return `${type === 'volume' ? 'volumes' : 'configuration'}/${of}.tar`
}

/** The name of part `number`, counted from 1: "volumes/cache.tar.000001". */
export function partName(archive: BackupArchive, number: number): string {
  return `${archiveName(archive)}.${String(number).padStart(6, '0')}`
}
