import type { Problem, ValuePath } from './problem.ts'
import { showPath } from './problem.ts'
import type { YamlFile } from './yaml-file.ts'

export type Variables = Readonly<Record<string, string>>

/**
 * Replaces variables in every text of a parsed Compose file (Compose specification, "Interpolation"): `$X`, `${X}`,
 * `${X:-default}`, `${X-default}`, `${X:?message}`, `${X?message}`, where default and message may hold variables
 * themselves; `$$` is a dollar. Keys are left alone. A variable
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

const placeholder = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(\}|:?[-?])|)/g

/** One text; `errors` are the rest of a sentence that begins with where the text stands. */
export function interpolate(
  text: string,
  variables: Variables,
): { text: string; errors: string[]; names: string[] } {
  const errors: string[] = []
  const names: string[] = []
  let replaced = ''
  let at = 0
  for (const found of text.matchAll(placeholder)) {
    // What stands in a default was read with it.
    if (found.index < at) continue
    const [whole, dollar, bare, braced, operator = '}'] = found
    const begin = found.index + whole.length
    const end = braced === undefined || operator === '}' ? begin : endOfOperand(text, begin)
    replaced += text.slice(at, found.index)
    at = begin
    const name = bare ?? braced
    if (dollar) replaced += '$'
    else if (name === undefined || end === undefined) {
      errors.push(`has a $ that begins no variable (${JSON.stringify(text)}); write $$ for a dollar`)
      replaced += whole
    } else {
      at = end
      const operand = end === begin ? '' : text.slice(begin, end - 1)
      names.push(name)
      replaced += resolved(name, operator, operand)
    }
  }
  return { text: replaced + text.slice(at), errors, names }

  function resolved(name: string, operator: string, source: string): string {
    const operand = interpolate(source, variables)
    names.push(...operand.names)
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value !== undefined && (value !== '' || !operator.startsWith(':'))) return value
    if (operator.endsWith('-')) {
      errors.push(...operand.errors)
      return operand.text
    }
    errors.push(
      operator === '}'
        ? `uses the variable ${name}, which has no value; write \${${name}:-default} to give it one`
        : `needs the variable ${name}: ${operand.text || 'it has no value'}`,
    )
    return ''
  }
}

/** Behind the brace that ends a default or message; undefined where none does. */
function endOfOperand(text: string, begin: number): number | undefined {
  let open = 1
  for (const { 0: sign, index } of text.slice(begin).matchAll(/\$\$|\$\{|\}/g)) {
    if (sign === '${') open++
    else if (sign === '}' && --open === 0) return begin + index + 1
  }
  return undefined
}
