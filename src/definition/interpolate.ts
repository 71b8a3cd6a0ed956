import type { Problem, ValuePath } from './problem.ts'
import { showPath } from './problem.ts'
import type { YamlFile } from './yaml-file.ts'

export type Variables = Readonly<Record<string, string>>

/**
 * Replaces variables in every text of a parsed Compose file (Compose specification, "Interpolation"): `$X`, `${X}`,
 * `${X:-default}`, `${X-default}`, `${X:?message}`, `${X?message}`; `$$` is a dollar. Keys are left alone. A variable
 * without value and default, which Compose would make empty with a warning, is a problem here. The names that the
 * file uses are returned too.
 */
export function interpolateFile(
  yaml: YamlFile,
  variables: Variables,
): { value: unknown; problems: Problem[]; names: ReadonlySet<string> } {
  const problems: Problem[] = []
  const names = new Set<string>()
  const walk = (value: unknown, path: ValuePath): unknown => {
    if (typeof value === 'string') {
      const result = interpolate(value, variables)
      for (const name of result.names) names.add(name)
      for (const text of result.errors) {
        const at = showPath(path)
        problems.push({ ...yaml.placeOf(path), path: at, text: `${at} ${text}` })
      }
      return result.text
    }
    if (Array.isArray(value)) return value.map((item, index) => walk(item, [...path, index]))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, [...path, key])]))
  }
  return { value: walk(yaml.value, []), problems, names }
}

const placeholder = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?])([^}]*))?\}|)/g

/** One text; `errors` are the rest of a sentence that begins with where the text stands. */
export function interpolate(
  text: string,
  variables: Variables,
): { text: string; errors: string[]; names: string[] } {
  const errors: string[] = []
  const names: string[] = []
  const replaced = text.replace(
    placeholder,
    (whole: string, dollar?: string, bare?: string, braced?: string, operator?: string, operand = '') => {
      if (dollar) return '$'
      const name = bare ?? braced
      if (name === undefined) {
        errors.push(`has a $ that begins no variable (${JSON.stringify(text)}); write $$ for a dollar`)
        return whole
      }
      names.push(name)
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined
      if (value !== undefined && (value !== '' || !operator?.startsWith(':'))) return value
      if (operator?.endsWith('-')) return operand
      errors.push(
        operator
          ? `needs the variable ${name}: ${operand || 'it has no value'}`
          : `uses the variable ${name}, which has no value; write \${${name}:-default} to give it one`,
      )
      return ''
    },
  )
  return { text: replaced, errors, names }
}
