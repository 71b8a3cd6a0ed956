import { redact, redacted } from './redact.ts'
import { isSecretName } from './secret-name.ts'

/**
 * A JSON value without its secrets: values of names that say so, and lists of them, environment entries ("NAME=value", to their end),
 * words after a flag that says so, and what `redact` finds inside of any text.
 */
export function redactJson(value: unknown): unknown {
  if (typeof value === 'string') return redactEntry(value)
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      const flag: unknown = value[index - 1]
      if (
        typeof item === 'string' &&
        typeof flag === 'string' &&
        /^--?[\w-]+$/.test(flag) &&
        isSecretName(flag)
      )
        return redacted
      return redactJson(item)
    })
  }
  if (typeof value !== 'object' || value === null) return value
  const named = 'name' in value && typeof value.name === 'string' && isSecretName(value.name)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isSecret = isSecretName(key) || (named && key === 'value')
      return [key, isSecret ? redactValue(item) : redactJson(item)]
    }),
  )
}

/** What has a secret's name, or each of a list; an object has names of its own. */
function redactValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactValue)
  const isPlain = typeof value === 'string' || typeof value === 'number'
  return isPlain && value !== '' ? redacted : redactJson(value)
}

/** The whole rest of "NAME=two words" is the value; elsewhere a text is searched. */
function redactEntry(text: string): string {
  const equals = text.indexOf('=')
  const name = text.slice(0, Math.max(0, equals))
  if (equals > 0 && equals < 200 && /^[\w.-]+$/.test(name) && isSecretName(name)) return `${name}=${redacted}`
  return redact(text)
}
