import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { loadComposeUse } from '../definition/compose-file.ts'
import { editorSchemas } from '../definition/editor-schema.ts'
import { loadDefinition } from '../definition/load.ts'
import { type NewProduct, newProductFiles } from '../definition/new-product.ts'
import { referenceName } from '../definition/parents.ts'
import { serviceVariable } from '../definition/profile.ts'
import { profileNames } from '../definition/profile-load.ts'
import { schemaFile } from '../definition/schema.ts'
import { writeFailure, writeFileAtomic } from '../lib/atomic.ts'
import { commandName } from '../lib/command-name.ts'
import { badInput, errorCode } from '../lib/errors.ts'
import { isFile } from '../lib/is-file.ts'
import { typedWord } from '../lib/typed-word.ts'
import type { Context } from './context.ts'

interface Options {
  readonly extends?: string
  readonly vendor?: string
  readonly product?: string
  readonly command?: string
  readonly support?: string
  readonly schemas?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/**
 * Makes a product directory that builds as it is. It is there whole, or not at all. With `--schemas`, brings those of
 * one that is there up to date.
 */
export async function run(
  context: Context,
  options: Options,
  [directory = '']: readonly string[],
): Promise<undefined> {
  const target = path.resolve(context.cwd, directory)
  const names = await (options.schemas ? writeSchemas : writeProduct)(context, target, options)
  if (options.json) {
    context.print(JSON.stringify({ directory: target, written: !options.dryRun, files: names }, null, 2))
    return
  }
  const shown = path.relative(context.cwd, target) || '.'
  for (const name of names) context.print(`  ${path.join(shown, ...name.split('/'))}`)
  if (options.dryRun) context.print('Nothing was written; without --dry-run, these files would be.')
  else if (!options.schemas)
    context.print(
      `Next: ${commandName()} -C ${typedWord(shown)} lock, then ${commandName()} -C ${typedWord(shown)} build`,
    )
}

/** Returns the paths of the new product's files. */
async function writeProduct(context: Context, target: string, options: Options): Promise<string[]> {
  const existing = await contents(target)
  await refuseMissingParent(context, options.extends)
  const product = describe(context, target, options)
  // What is wrong with the parent is said where the new product is read, by names that lead there from its folder.
  const begin = await profileOf(context, options.extends).catch(() => ({ hasOptimiser: false }))
  const files = newProductFiles({ ...product, ...begin })
  if (!options.dryRun) await write(target, files, existing)
  return [...files.keys()].sort()
}

/** Returns the paths of the schemas; writes only into a product directory. */
async function writeSchemas({ cwd }: Context, target: string, { dryRun }: Options): Promise<string[]> {
  if (!(await isFile(path.join(target, 'appliance.yaml')))) {
    throw badInput(
      'no-definition',
      `${path.relative(cwd, target) || '.'} is no product directory (it has no appliance.yaml), and nothing was written; to make one: ${commandName()} init DIR`,
    )
  }
  const schemas = editorSchemas()
  for (const [name, text] of dryRun ? [] : schemas)
    await writeFileAtomic(path.join(target, ...name.split('/')), text)
  return [...schemas.keys()]
}

/** What stands in the directory already; undefined where there is none. Throws where it holds anything. */
async function contents(target: string): Promise<readonly string[] | undefined> {
  try {
    const names = await readdir(target)
    if (names.filter((name) => name !== '.git').length === 0) return names
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    if (errorCode(error) !== 'ENOTDIR') throw error
  }
  throw badInput(
    'not-empty',
    `${target} is not empty, and nothing was written; name a folder that is, or that is not there yet: ${commandName()} init DIR`,
  )
}

async function refuseMissingParent({ cwd }: Context, given = referenceName): Promise<void> {
  if (given === referenceName) return
  const file = path.join(path.resolve(cwd, given), 'appliance.yaml')
  if (await isFile(file)) return
  throw badInput(
    'no-definition',
    `--extends ${given} names no product directory (there is no ${file}); name one, or leave it out for ${referenceName}.`,
  )
}

/** What a first profile can begin with: a parent need have neither the reference's profiles nor its optimiser. */
async function profileOf(
  { cwd }: Context,
  given = referenceName,
): Promise<Pick<NewProduct, 'profile' | 'hasOptimiser'>> {
  if (given === referenceName) return { profile: 'branch', hasOptimiser: true }
  const parent = await loadDefinition(path.resolve(cwd, given))
  const names = (await profileNames(parent)).filter((name) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))
  const [profile] = names.includes('branch') ? ['branch'] : names.filter((name) => name !== 'shop')
  const { compose, names: used } = await loadComposeUse(parent, {})
  const hasOptimiser =
    compose.services.some(({ name }) => name === 'optimiser') &&
    ['memory', 'cache'].every((key) => used.has(serviceVariable('optimiser', key)))
  return { ...(profile !== undefined && { profile }), hasOptimiser }
}

function describe(
  context: Context,
  target: string,
  options: Options,
): Omit<NewProduct, 'profile' | 'hasOptimiser'> {
  const name = path.basename(target)
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
    throw badInput(
      'bad-name',
      `The folder's name is the product's, and "${name}" cannot be one; use lower-case letters, digits and single hyphens, as in: ${commandName()} init acme-wan`,
    )
  }
  if (options.command !== undefined && !isCommand(options.command)) {
    throw badInput(
      'bad-usage',
      `--command "${options.command}" is nothing that a user could type everywhere; use lower-case letters, digits and hyphens, and no word of the shell's own, as in acme-wan.`,
    )
  }
  const title = name.replaceAll('-', ' ').replaceAll(/(^| )[a-z]/g, (letter) => letter.toUpperCase())
  const given = options.extends
  const parent =
    given === undefined || given === referenceName
      ? referenceName
      : path.relative(target, path.resolve(context.cwd, given)).split(path.sep).join('/')
  return {
    name,
    vendor: said(options.vendor, '--vendor') ?? title.split(' ')[0]!,
    product: said(options.product, '--product') ?? title,
    command: said(options.command, '--command') ?? (isCommand(name) ? name : `wan-${name}`),
    support: said(options.support, '--support') ?? 'the people you got this appliance from',
    extends: parent,
  }
}

/** Whether a brand may have this command, by the schema's own word. */
function isCommand(text: string): boolean {
  const { properties } = JSON.parse(readFileSync(schemaFile('appliance'), 'utf8'))
  return new RegExp(properties.brand.properties.command.pattern).test(text)
}

function said(value: string | undefined, option: string): string | undefined {
  if (value === undefined) return undefined
  const line = value.trim()
  if (line !== '' && !/\p{Cc}/u.test(line)) return line
  throw badInput('bad-usage', `${option} is empty, or more than one line; write one line of text.`)
}

/** Writes beside the target, checks it, and moves it into place. */
async function write(
  target: string,
  files: ReadonlyMap<string, string>,
  existing: readonly string[] | undefined,
): Promise<void> {
  const parent = path.dirname(target)
  let temporary: string | undefined
  try {
    await mkdir(parent, { recursive: true })
    temporary = await mkdtemp(path.join(parent, `.${path.basename(target)}-`))
    // A temporary folder is its owner's alone; what it becomes is a folder like any other.
    await chmod(temporary, 0o777 & ~process.umask())
    for (const [name, content] of files) {
      const file = path.join(temporary, ...name.split('/'))
      await mkdir(path.dirname(file), { recursive: true })
      await writeFile(file, content)
    }
    await loadDefinition(temporary)
    if (existing === undefined) await rename(temporary, target)
    else await moveInto(temporary, target)
  } catch (error) {
    throw writeFailure(target, error)
  } finally {
    if (temporary) await rm(temporary, { recursive: true, force: true })
  }
}

/** `appliance.yaml` last: without it, a directory is no product. */
async function moveInto(from: string, to: string): Promise<void> {
  const names = (await readdir(from)).filter((name) => name !== 'appliance.yaml')
  for (const name of [...names, 'appliance.yaml']) await rename(path.join(from, name), path.join(to, name))
}
