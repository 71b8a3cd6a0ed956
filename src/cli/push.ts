import path from 'node:path'
import { readKnownBlobs, rememberBlobs } from '../bundle/registry/known-blobs.ts'
import { type LayoutContent, readLayoutContent } from '../bundle/registry/layout-content.ts'
import { type PushPlan, planPush } from '../bundle/registry/plan-push.ts'
import { pushLayout } from '../bundle/registry/push.ts'
import { formatReference, parseReference, type RegistryReference } from '../bundle/registry/reference.ts'
import { RegistrySession } from '../bundle/registry/session.ts'
import { formatBytes } from '../lib/bytes.ts'
import { cacheFolder } from '../lib/cache.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput } from '../lib/errors.ts'
import type { Context } from './context.ts'
import { readSigningKey } from './signing-key.ts'

export interface PushOptions {
  readonly directory: string
  readonly key?: string
  readonly passphraseFile?: string
  readonly insecure?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Brings a built layout to a registry: images, index, what refers to them, and signatures where a key is given. */
export async function run(context: Context, options: PushOptions, args: string[]): Promise<undefined> {
  const { env, report, signal } = context
  const [target = '', layout] = args
  const directory = path.resolve(context.cwd, layout ?? path.join(options.directory, 'build'))
  const reference = parseReference(target)
  const content = await readLayoutContent(directory)
  const tag = tagFor(target, reference, content)
  const key = options.key ? await readSigningKey(context, { ...options, key: options.key }) : undefined
  const session = new RegistrySession(reference, { env, signal, insecure: options.insecure === true })
  const { registry, repository } = reference
  session.addScope(`repository:${repository}:pull,push`)
  const plan = await planPush(session, content, tag, key)
  const shown = { reference, content, plan }
  if (options.dryRun) {
    printPush(context, options, { ...shown, what: describePlan(plan) })
    return
  }
  const { root: cacheRoot } = cacheFolder(env)
  const known = await readKnownBlobs(cacheRoot, registry)
  for (const { digest } of plan.blobs) {
    const lender = known.get(digest)
    if (lender) session.addScope(`repository:${lender}:pull`, true)
  }
  const pushed = await pushLayout(session, content, plan, { key, known, report, signal })
  const all = [...content.images, ...content.referrers].flatMap(({ blobs }) => blobs)
  await rememberBlobs(
    cacheRoot,
    registry,
    repository,
    all.map(({ digest }) => digest),
  )
  printPush(context, options, {
    ...shown,
    what: { ...pushed, present: plan.present, tagMoved: plan.tagMoves },
  })
}

function tagFor(target: string, reference: RegistryReference, content: LayoutContent): string {
  if (reference.digest !== undefined) {
    throw badInput(
      'bad-reference',
      `"${target}" names a digest, which a push computes; name a tag instead, or none for the release's version.`,
    )
  }
  const tag = reference.tag ?? content.tag
  if (tag !== undefined) return tag
  throw badInput(
    'bad-reference',
    `"${target}" has no tag and ${content.directory} tells none; add one, such as :1.0.0.`,
  )
}

function describePlan(plan: PushPlan) {
  return {
    dryRun: true,
    uploaded: plan.blobs.length,
    uploadedBytes: plan.blobs.reduce((sum, { size }) => sum + size, 0),
    present: plan.present,
    manifests: plan.manifests.length + plan.referrers.length + Number(plan.tagMoves),
    signatures: plan.unsigned.length,
    tagMoved: plan.tagMoves,
  }
}

interface Shown {
  readonly reference: RegistryReference
  readonly content: LayoutContent
  readonly plan: PushPlan
  readonly what:
    | ReturnType<typeof describePlan>
    | (Omit<ReturnType<typeof describePlan>, 'dryRun'> & { mounted: number })
}

function printPush(context: Context, options: PushOptions, { reference, content, plan, what }: Shown): void {
  const { digest } = content.root.descriptor
  const name = formatReference(reference, { tag: plan.tag })
  if (options.json) {
    const images = content.images.map(({ descriptor }) => descriptor.digest)
    context.print(JSON.stringify({ reference: name, digest, images, ...what }, null, 2))
    return
  }
  const changes = what.uploaded + what.manifests + what.signatures
  if (changes === 0) context.print(`${name} has it all already; nothing was sent.`)
  else {
    const verb = options.dryRun ? 'would be sent' : 'sent'
    const parts = [
      `${what.uploaded} blobs (${formatBytes(what.uploadedBytes)})`,
      `${what.manifests} manifests`,
    ]
    if (what.signatures > 0) parts.push(`${what.signatures} signatures`)
    context.print(`${name}: ${parts.join(', ')} ${verb}.`)
  }
  context.print(`To install it: ${commandName()} install ${formatReference(reference, { digest })}`)
}
