import { nearest } from '../lib/nearest.ts'

/** Looks at one value of the lock; returns what is wrong with it, with its path, or undefined. */
export type Check = (value: unknown, path: string) => string | undefined

/** Text of a form; `what` says which in words. */
export function text(form: RegExp, what: string): Check {
  return (value, path) =>
    typeof value === 'string' && form.test(value) ? undefined : `${path} is ${show(value)}, not ${what}`
}

export const anyText: Check = text(/^[^\n]*$/, 'a line of text')

export const anything: Check = () => undefined

export const count: Check = (value, path) =>
  Number.isSafeInteger(value) && (value as number) >= 0
    ? undefined
    : `${path} is ${show(value)}, not a whole number`

export function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} is ${show(value)}, not a list`
    return firstProblem(value, (item, index) => check(item, `${path}[${index}]`))
  }
}

/** An object with arbitrary keys: each key of a form, each value checked. */
export function mapOf(key: Check, check: Check): Check {
  return (value, path) => {
    if (!isObject(value)) return `${path} is ${show(value)}, not an object`
    return firstProblem(
      Object.entries(value),
      ([name, item]) => key(name, `a key of ${path}`) ?? check(item, join(path, name)),
    )
  }
}

/** An object with known keys; those in `optional` may be absent. */
export function object(required: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  const known = { ...required, ...optional }
  return (value, path) => {
    const where = path === '' ? 'the file' : path
    if (!isObject(value)) return `${where} is ${show(value)}, not an object`
    const absent = Object.keys(required).find((name) => !Object.hasOwn(value, name))
    if (absent !== undefined) return `${where} has no ${absent}`
    return firstProblem(Object.entries(value), ([name, item]) => {
      const check = Object.hasOwn(known, name) ? known[name] : undefined
      if (check) return check(item, join(path, name))
      const near = nearest(name, Object.keys(known))[0]
      return `${where} has an unknown key ${name}${near === undefined ? '' : ` (${near}?)`}`
    })
  }
}

function firstProblem<T>(
  items: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const problem = check(item, index)
    if (problem !== undefined) return problem
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) return 'an object'
  const shown = JSON.stringify(value)
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown
}
