import { createRequire } from 'node:module'

/** What of a tree that tree-sitter gives is looked at here. */
interface SyntaxNode {
  readonly type: string
  readonly text: string
  readonly startPosition: { readonly row: number }
  readonly isError: boolean
  readonly isMissing: boolean
  readonly children: readonly SyntaxNode[]
}

export interface PowerShellFacts {
  /** Lines, from 1, that are no PowerShell. */
  readonly mistakes: readonly number[]
  /** Names of everything that is called, sorted. */
  readonly commands: readonly string[]
  /** Names of the variables that are read and that nothing in the script sets, sorted. */
  readonly unset: readonly string[]
}

/** Reads a script by the PowerShell grammar that editors use: PowerShell itself is not on the test host. */
export async function readPowerShell(text: string): Promise<PowerShellFacts> {
  const root = await parse(text)
  const nodes = [...walk(root)]
  const ofType = (...types: string[]): SyntaxNode[] => nodes.filter(({ type }) => types.includes(type))
  const variablesIn = (some: readonly SyntaxNode[]): Set<string> =>
    new Set(
      some
        .flatMap((one) => [...walk(one)])
        .filter(isVariable)
        .map((one) => one.text.toLowerCase().replace(/^\$\{?|\}$/g, '')),
    )
  // A loop sets the variable that stands right in it; what stands in its body is another statement's.
  const loops = ofType('foreach_statement').flatMap((one) => one.children.filter(isVariable))
  const set = variablesIn([
    ...ofType('left_assignment_expression', 'function_parameter_declaration'),
    ...loops,
  ])
  return {
    mistakes: nodes.filter((one) => one.isError || one.isMissing).map((one) => one.startPosition.row + 1),
    commands: [...new Set(ofType('command_name').map((one) => one.text))].sort(),
    unset: [...variablesIn([root])].filter((name) => !set.has(name) && !name.startsWith('env:')).sort(),
  }
}

function isVariable({ type }: SyntaxNode): boolean {
  return type === 'variable'
}

function* walk(node: SyntaxNode): Generator<SyntaxNode> {
  yield node
  for (const child of node.children) yield* walk(child)
}

async function parse(text: string): Promise<SyntaxNode> {
  const load = createRequire(import.meta.url)
  const { Parser, Language } = load('@vscode/tree-sitter-wasm')
  await Parser.init()
  const parser = new Parser()
  parser.setLanguage(
    await Language.load(load.resolve('@vscode/tree-sitter-wasm/wasm/tree-sitter-powershell.wasm')),
  )
  return parser.parse(text).rootNode
}
