/**
 * What a maintainer script does to the file tree, as data. Paths are absolute in the image. Files, directories, links
 * and accounts that are there already stay as they are unless an effect says `replace`.
 */
export type Effect =
  | AccountsEffect
  | ShadowEffect
  | GroupEffect
  | UserEffect
  | MemberEffect
  | DirectoryEffect
  | FileEffect
  | SymlinkEffect
  | FifoEffect
  | CopyEffect
  | WriteEffect
  | OwnerEffect
  | ModeEffect
  | AdjustEffect
  | UnsupportedEffect
  | CapabilityEffect
  | RemoveEffect
  | DiversionEffect
  | StatOverrideEffect
  | AlternativeEffect
  | DerivedEffect

/** /etc/passwd and /etc/group from two files of the package. */
export interface AccountsEffect {
  readonly kind: 'accounts'
  readonly passwd: string
  readonly group: string
}

/** Passwords move into /etc/shadow and /etc/gshadow, as shadowconfig(8) does. */
export interface ShadowEffect {
  readonly kind: 'shadow'
}

/** Without `gid`, the definition must have chosen one: ids are never picked while building. */
export interface GroupEffect {
  readonly kind: 'group'
  readonly name: string
  readonly gid?: number
}

/** Without `uid`, the definition must have chosen one. */
export interface UserEffect {
  readonly kind: 'user'
  readonly name: string
  readonly uid?: number
  readonly group: string
  readonly home: string
  readonly shell: string
  readonly comment: string
}

export interface MemberEffect {
  readonly kind: 'member'
  readonly user: string
  readonly group: string
}

export interface DirectoryEffect {
  readonly kind: 'directory'
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly group: string
}

/** A file with given text, or a copy of another file of the image. */
export interface FileEffect {
  readonly kind: 'file'
  readonly path: string
  readonly content?: string | Uint8Array
  readonly copyOf?: string
  /** 0644, or that of the file copied. */
  readonly mode?: number
  readonly owner: string
  readonly group: string
  readonly replace: boolean
}

export interface SymlinkEffect {
  readonly kind: 'symlink'
  readonly path: string
  readonly target: string
  readonly replace: boolean
  /** Nothing happens where the link would lead to nothing. */
  readonly onlyToExisting?: true
}

export interface FifoEffect {
  readonly kind: 'fifo'
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly group: string
  readonly replace: boolean
}

/** A file or folder of the image, copied with all below it; nothing where it is missing. */
export interface CopyEffect {
  readonly kind: 'copy'
  readonly from: string
  readonly path: string
  /** Whether a folder with files in it takes what it lacks. */
  readonly merge: boolean
  /** Of what is copied to a free place; absent: as in the source. */
  readonly mode?: number
  /** Of all that is copied; absent: as in the source. */
  readonly owner?: string
  readonly group?: string
}

/** Bytes written into files that are there. */
export interface WriteEffect {
  readonly kind: 'write'
  /** May be a pattern. */
  readonly path: string
  readonly content: string | Uint8Array
  /** Behind the end; else over the beginning. */
  readonly append: boolean
}

export interface OwnerEffect {
  readonly kind: 'owner'
  readonly path: string
  /** Absent: stays. */
  readonly owner?: string
  readonly group?: string
  /** Nothing happens where the path is missing. */
  readonly optional?: boolean
}

export interface ModeEffect {
  readonly kind: 'mode'
  readonly path: string
  readonly mode: number
  readonly optional?: boolean
}

/** Mode and owner of what is there, as tmpfiles.d names them; nothing where nothing is there. */
export interface AdjustEffect {
  readonly kind: 'adjust'
  readonly path: string
  readonly mode?: number
  /** The mode gives no right that the path does not have for anybody. */
  readonly isMasked?: boolean
  readonly owner?: string
  readonly group?: string
  readonly isPattern?: true
  readonly isRecursive?: true
  readonly only?: 'directory'
}

/** Something that no layer holds: an error where the path, which may be a pattern, is there. */
export interface UnsupportedEffect {
  readonly kind: 'unsupported'
  readonly path: string
  readonly what: string
}

/** In the notation of cap_text_formats(7): "cap_net_raw=ep". */
export interface CapabilityEffect {
  readonly kind: 'capability'
  readonly path: string
  readonly capabilities: string
}

export interface RemoveEffect {
  readonly kind: 'remove'
  readonly path: string
}

/** An entry of /var/lib/dpkg/diversions that moves no file (dpkg-divert(1), `--no-rename`). */
export interface DiversionEffect {
  readonly kind: 'diversion'
  readonly path: string
  readonly to: string
  readonly package: string
}

/** An entry of /var/lib/dpkg/statoverride, applied too (dpkg-statoverride(1), `--update --add`). */
export interface StatOverrideEffect {
  readonly kind: 'stat-override'
  readonly path: string
  readonly mode: number
  readonly owner: string
  readonly group: string
}

export interface AlternativeEffect {
  readonly kind: 'alternative'
  readonly link: string
  readonly name: string
  readonly path: string
  readonly priority: number
  readonly slaves: readonly AlternativeSlave[]
  /** The script goes on where `path` is missing. */
  readonly optional?: boolean
}

export interface AlternativeSlave {
  readonly link: string
  readonly name: string
  readonly path: string
}

/**
 * Files worked out of what all packages so far have put in the tree: the certificate bundle and its hash links,
 * /etc/pam.d/common-*, /etc/shells. `ldconfig` writes nothing: the loader knows the multiarch folders.
 */
export interface DerivedEffect {
  readonly kind: 'ca-bundle' | 'pam' | 'shells' | 'ldconfig'
}
