import { badInput } from '../lib/errors.ts'

/** A name is Compose's project and the start of container names. */
export function checkName(name: string): void {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return
  throw badInput(
    'bad-name',
    `--name ${name} cannot be used; write lower-case letters, digits, - and _, such as branch-7.`,
  )
}
