import type { ParentChange, ParentDiff } from '../lock/diff-parent.ts'
import { describeMove } from '../lock/diff-parent.ts'

/** A change beneath a product, and what the product says itself in that place, which stays. */
export type ShownChange = ParentChange & { readonly yours?: string }

/** What changed beneath a product, line by line; `yours` marks what the product covers with its own. */
export function describeParentDiff(
  diff: Omit<ParentDiff, 'values' | 'files'> & {
    readonly values: readonly ShownChange[]
    readonly files: readonly ShownChange[]
  },
): string[] {
  return [
    describeMove(diff),
    ...section('Values', diff.values.map(describeValue)),
    ...section('Files', diff.files.map(describeFile)),
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title} (${lines.length})`, ...lines.map((line) => `  ${line}`)]
}

function describeValue({ name, from, to, yours }: ShownChange): string {
  const change =
    from === undefined
      ? `+ ${name}: ${show(to)}`
      : to === undefined
        ? `- ${name}: ${show(from)}`
        : `~ ${name}: ${show(from)} → ${show(to)}`
  return `${change}${stays(yours)}`
}

function describeFile({ name, from, to, yours }: ShownChange): string {
  return `${from === undefined ? '+' : to === undefined ? '-' : '~'} ${name}${stays(yours)}`
}

function stays(yours: string | undefined): string {
  return yours === undefined ? '' : ` (yours stays: ${yours})`
}

function show(value: unknown): string {
  return typeof value === 'string' && !value.includes('\n') ? value : JSON.stringify(value)
}
