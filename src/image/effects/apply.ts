import type {
  DerivedEffect,
  Effect,
  GroupEffect,
  ModeEffect,
  OwnerEffect,
  UserEffect,
} from '../../debian/effect.ts'
import type { Group, User } from '../../definition/definition.ts'
import { SlipwayError } from '../../lib/errors.ts'
import { addGroup, addMember, addUser, createShadow, groupId, hasGroup, hasUser } from '../accounts.ts'
import type { FileTree } from '../file-tree.ts'
import { adjust, refuseUnsupported } from './adjust.ts'
import { installAlternative } from './alternative.ts'
import { updateCertificates } from './ca-bundle.ts'
import { encodeCapabilities } from './capability.ts'
import { copyTree } from './copy-tree.ts'
import { addDiversion, addStatOverride } from './dpkg-state.ts'
import { changeEntry, copyFile, makeDirectory, makeFifo, makeFile, makeSymlink } from './files.ts'
import { updatePam } from './pam.ts'
import { updateShells } from './shells.ts'
import { writeInto } from './write-into.ts'

export interface EffectContext {
  /** Users and groups of all components: where an effect leaves an id open, theirs is taken. */
  readonly users: readonly User[]
  readonly groups: readonly Group[]
  /** Days since the epoch: the last password change of new accounts (shadow(5)). */
  readonly day: number
}

/** Accounts first, since owners are named; what is worked out of the whole tree last. */
const phases: readonly (readonly Effect['kind'][])[] = [
  ['accounts'],
  ['shadow'],
  ['group'],
  ['user'],
  ['member'],
]
const derived: readonly Effect['kind'][] = ['shells', 'pam', 'ca-bundle', 'ldconfig']

/**
 * Applies the effects of all packages of a layer, once their files are in the tree. Within a phase the given order
 * counts. Throws `no-id-chosen` for an account whose id nobody chose.
 */
export function applyEffects(tree: FileTree, effects: readonly Effect[], context: EffectContext): void {
  const early = new Set(phases.flat())
  for (const phase of phases) {
    for (const effect of effects) if (phase.includes(effect.kind)) apply(tree, effect, context)
  }
  for (const effect of effects) {
    if (!early.has(effect.kind) && !derived.includes(effect.kind)) apply(tree, effect, context)
  }
  for (const kind of derived) {
    const effect = effects.find((candidate) => candidate.kind === kind)
    if (effect) apply(tree, effect, context)
  }
}

type Apply<Kind extends Effect['kind']> = (
  tree: FileTree,
  effect: Extract<Effect, { readonly kind: Kind }>,
  context: EffectContext,
) => void

const appliers: { readonly [Kind in Exclude<Effect['kind'], DerivedEffect['kind']>]: Apply<Kind> } & {
  readonly [Kind in DerivedEffect['kind']]: (tree: FileTree) => void
} = {
  accounts: (tree, effect) => {
    copyFile(tree, effect.passwd, '/etc/passwd', { mode: 0o644 })
    copyFile(tree, effect.group, '/etc/group', { mode: 0o644 })
  },
  shadow: (tree, _, context) => createShadow(tree, context.day),
  group: applyGroup,
  user: applyUser,
  member: (tree, effect) => addMember(tree, effect.user, effect.group),
  directory: makeDirectory,
  file: makeFile,
  symlink: makeSymlink,
  fifo: makeFifo,
  copy: copyTree,
  write: writeInto,
  owner: change,
  mode: change,
  adjust,
  unsupported: refuseUnsupported,
  capability: (tree, effect) =>
    changeEntry(tree, effect.path, { capability: encodeCapabilities(effect.capabilities) }),
  remove: (tree, effect) => tree.remove(effect.path),
  diversion: addDiversion,
  'stat-override': addStatOverride,
  alternative: installAlternative,
  shells: updateShells,
  pam: updatePam,
  'ca-bundle': updateCertificates,
  ldconfig: () => {},
}

function apply(tree: FileTree, effect: Effect, context: EffectContext): void {
  const applier = appliers[effect.kind] as Apply<Effect['kind']>
  applier(tree, effect, context)
}

function change(tree: FileTree, effect: OwnerEffect | ModeEffect): void {
  if (!effect.optional || tree.get(effect.path)) changeEntry(tree, effect.path, effect)
}

function applyGroup(tree: FileTree, effect: GroupEffect, context: EffectContext): void {
  const chosen = context.groups.find((group) => group.name === effect.name)
  const gid = chosen?.gid ?? effect.gid
  if (gid !== undefined) addGroup(tree, effect.name, gid)
  else if (!hasGroup(tree, effect.name)) {
    throw noId(`the group ${effect.name}`, 'groups', `{ name: ${effect.name}, gid: 900 }`)
  }
}

/** Where the definition has the user, its words count, not only its id. */
function applyUser(tree: FileTree, effect: UserEffect, context: EffectContext): void {
  const chosen = context.users.find((user) => user.name === effect.name)
  const user = chosen ?? effect
  if (user.uid === undefined) {
    if (hasUser(tree, effect.name)) return
    throw noId(
      `the user ${effect.name}`,
      'users',
      `{ name: ${effect.name}, uid: 900, group: ${effect.group}, home: ${effect.home} }`,
    )
  }
  const group = context.groups.find((candidate) => candidate.name === user.group)
  if (group) addGroup(tree, group.name, group.gid)
  addUser(tree, { ...user, uid: user.uid, gid: groupId(tree, user.group) }, context.day)
}

function noId(what: string, list: string, example: string): SlipwayError {
  return new SlipwayError(
    'no-id-chosen',
    `A package needs ${what}, and nobody chose its id: ids must not depend on the build. ` +
      `Add it to ${list} in a component.yaml, such as "- ${example}".`,
  )
}
