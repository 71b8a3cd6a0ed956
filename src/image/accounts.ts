import { SlipwayError } from '../lib/errors.ts'
import type { FileTree } from './file-tree.ts'

const files = {
  passwd: 'etc/passwd',
  group: 'etc/group',
  shadow: 'etc/shadow',
  gshadow: 'etc/gshadow',
} as const

export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  readonly shell: string
  readonly comment: string
}

/** Numeric id of a user of the image (passwd(5)); a decimal number stands for itself. */
export function userId(tree: FileTree, name: string): number {
  return idOf(tree, 'passwd', name) ?? missing('user', name)
}

/** Numeric id of a group of the image (group(5)); a decimal number stands for itself. */
export function groupId(tree: FileTree, name: string): number {
  return idOf(tree, 'group', name) ?? missing('group', name)
}

export function hasUser(tree: FileTree, name: string): boolean {
  return rows(tree, 'passwd').some((row) => row[0] === name)
}

export function hasGroup(tree: FileTree, name: string): boolean {
  return rows(tree, 'group').some((row) => row[0] === name)
}

/** Adds a group. One of that name and id may be there already; anything else throws `account-conflict`. */
export function addGroup(tree: FileTree, name: string, gid: number): void {
  const known = rows(tree, 'group')
  const same = known.find((row) => row[0] === name)
  if (same) {
    keep('group', name, Number(same[2]), gid)
    return
  }
  const holder = known.find((row) => Number(row[2]) === gid)
  if (holder) conflict(`The group ${name} cannot have the id ${gid}: ${holder[0]} has it`)
  write(tree, 'group', [...known, [name, 'x', String(gid), '']])
  if (tree.get(files.gshadow)) write(tree, 'gshadow', [...rows(tree, 'gshadow'), [name, '!', '', '']])
}

/**
 * Adds a user that cannot log in by password. One of that name and id may be there already; anything else throws
 * `account-conflict`. `day` (days since the epoch) is the last change of its password in shadow(5).
 */
export function addUser(tree: FileTree, account: Account, day: number): void {
  const known = rows(tree, 'passwd')
  const same = known.find((row) => row[0] === account.name)
  if (same) {
    keep('user', account.name, Number(same[2]), account.uid)
    return
  }
  const holder = known.find((row) => Number(row[2]) === account.uid)
  if (holder) conflict(`The user ${account.name} cannot have the id ${account.uid}: ${holder[0]} has it`)
  const shadowed = tree.get(files.shadow) !== undefined
  write(tree, 'passwd', [
    ...known,
    [
      account.name,
      shadowed ? 'x' : '*',
      String(account.uid),
      String(account.gid),
      account.comment,
      account.home,
      account.shell,
    ],
  ])
  if (shadowed) {
    const row = [account.name, '!', String(day), '', '', '', '', '', '']
    write(tree, 'shadow', [...rows(tree, 'shadow'), row])
  }
}

/** Makes a user a member of a group, once. */
export function addMember(tree: FileTree, user: string, group: string): void {
  const known = rows(tree, 'group')
  const row = known.find((candidate) => candidate[0] === group) ?? missing('group', group)
  const members = (row[3] ?? '').split(',').filter((name) => name !== '')
  if (members.includes(user)) return
  row[3] = [...members, user].join(',')
  write(tree, 'group', known)
  const shadows = rows(tree, 'gshadow')
  const shadow = shadows.find((candidate) => candidate[0] === group)
  if (!shadow) return
  shadow[3] = row[3]
  write(tree, 'gshadow', shadows)
}

/** Moves passwords out of passwd and group into shadow and gshadow, as pwconv(8) and grpconv(8) do. */
export function createShadow(tree: FileTree, day: number): void {
  if (!tree.get(files.shadow)) {
    const users = rows(tree, 'passwd')
    write(
      tree,
      'shadow',
      users.map((row) => [row[0]!, row[1]!, String(day), '0', '99999', '7', '', '', '']),
    )
    write(
      tree,
      'passwd',
      users.map((row) => [row[0]!, 'x', ...row.slice(2)]),
    )
  }
  if (!tree.get(files.gshadow)) {
    const groups = rows(tree, 'group')
    write(
      tree,
      'gshadow',
      groups.map((row) => [row[0]!, row[1]!, '', row[3] ?? '']),
    )
    write(
      tree,
      'group',
      groups.map((row) => [row[0]!, 'x', ...row.slice(2)]),
    )
  }
}

type Row = string[]

function rows(tree: FileTree, file: keyof typeof files): Row[] {
  if (!tree.get(files[file])) return []
  return tree
    .readText(files[file])
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'))
}

function write(tree: FileTree, file: keyof typeof files, table: readonly Row[]): void {
  const old = tree.get(files[file])
  const isSecret = file === 'shadow' || file === 'gshadow'
  tree.put({
    path: files[file],
    type: 'file',
    mode: old?.mode ?? (isSecret ? 0o640 : 0o644),
    uid: 0,
    gid: old?.gid ?? (isSecret ? groupId(tree, 'shadow') : 0),
    mtime: tree.date,
    content: new TextEncoder().encode(table.map((row) => `${row.join(':')}\n`).join('')),
  })
}

function idOf(tree: FileTree, file: 'passwd' | 'group', name: string): number | undefined {
  if (name === 'root') return 0
  if (/^\d+$/.test(name)) return Number(name)
  const row = rows(tree, file).find((candidate) => candidate[0] === name)
  return row === undefined ? undefined : Number(row[2])
}

function keep(what: string, name: string, has: number, wanted: number): void {
  if (has !== wanted) conflict(`The ${what} ${name} is in the image with the id ${has}, not ${wanted}`)
}

function conflict(what: string): never {
  throw new SlipwayError('account-conflict', `${what}; choose another in the component's users or groups.`)
}

/** Packages and their recipes come before the component's own accounts. */
function missing(what: 'user' | 'group', name: string): never {
  throw new SlipwayError(
    'no-such-account',
    `The image has no ${what} "${name}" at this point; name it under ${what}s in component.yaml, and where a recipe speaks of it, make it there with the effect ${what} too.`,
  )
}
