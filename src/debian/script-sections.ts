/** A stretch of a maintainer script: the maintainer's own lines, or one section that debhelper generated. */
export interface ScriptPart {
  /** The debhelper command without its version ("dh_installsystemd"); undefined for the maintainer's own lines. */
  readonly kind?: string
  /** Whether the section can be dropped: it has no effect in an image, or its effect is read as data. */
  readonly isData: boolean
  /** LF line ends, marker lines included, debhelper's version taken off. */
  readonly text: string
}

const begin = /^\s*# Automatically added by (\S+?)(\/\S*)?$/
const end = /^\s*# End automatically added section$/

/** Starting services, and updating menus where the menu package is there, have no meaning while an image is built. */
const withoutEffect = new Set([
  'dh_installinit',
  'dh_installsystemd',
  'dh_installsystemduser',
  'dh_systemd_enable',
  'dh_systemd_start',
  'dh_installmenu',
])

/** Their data are files of the package, or the section's own text, which are read as such. */
const readAsData = new Set(['dh_installtmpfiles', 'dh_installsysusers', 'dh_installalternatives'])

/** Divides a script at debhelper's marks. A section without an end mark counts as the maintainer's own. */
export function splitSections(script: string): ScriptPart[] {
  const lines = script.replace(/\r\n?/g, '\n').split('\n')
  const parts: ScriptPart[] = []
  let own: string[] = []
  const finishOwn = (): void => {
    if (own.length > 0) parts.push({ isData: false, text: own.join('\n') })
    own = []
  }
  for (let index = 0; index < lines.length; index++) {
    const kind = begin.exec(lines[index]!.trimEnd())?.[1]
    const length = kind === undefined ? -1 : lines.slice(index).findIndex((line) => end.test(line.trimEnd()))
    if (kind === undefined || length < 0) {
      own.push(lines[index]!)
      continue
    }
    finishOwn()
    const body = lines.slice(index + 1, index + length)
    parts.push({
      kind,
      isData: withoutEffect.has(kind) || readAsData.has(kind) || isUpgradeOnly(kind, body),
      text: [`# Automatically added by ${kind}`, ...body, lines[index + length]!].join('\n'),
    })
    index += length
  }
  finishOwn()
  return parts
}

/**
 * dh_installdeb writes dpkg-maintscript-helper(1) calls: renames and removals that act only when an older version was
 * installed before.
 */
function isUpgradeOnly(kind: string, body: readonly string[]): boolean {
  const helper =
    /^dpkg-maintscript-helper (rm_conffile|mv_conffile|symlink_to_dir|dir_to_symlink) [^;&|`$()<>]* -- "\$@"$/
  return kind === 'dh_installdeb' && body.every((line) => line.trim() === '' || helper.test(line.trim()))
}
