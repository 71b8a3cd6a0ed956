// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the shells.
import type { Command } from 'commander'
import { badInput } from '../lib/errors.ts'
import { nearest } from '../lib/nearest.ts'

interface Word {
  /** "lock", "--json". */
  readonly word: string
  readonly description: string
}

type Shell = (command: string, verbs: readonly Verb[], globals: readonly Word[]) => string[]

interface Verb extends Word {
  readonly options: readonly Word[]
}

const shells: Readonly<Record<string, Shell>> = {
  bash,
  zsh,
  fish,
}

/** The script that completes a program's verbs and options, made from its own declarations. Throws `no-such-shell`. */
export function formatCompletion(shell: string, program: Command): string {
  const names = Object.keys(shells)
  const format = Object.hasOwn(shells, shell) ? shells[shell] : undefined
  if (!format) {
    const [near] = nearest(shell, names)
    throw badInput(
      'no-such-shell',
      `There is no completion for ${shell}${near ? `; did you mean ${near}?` : ';'} Choose one of: ${names.join(', ')}.`,
    )
  }
  // What the help does not offer, a partner's customer need not come upon by a tab either.
  const offered = program
    .createHelp()
    .visibleCommands(program)
    .filter((one) => program.commands.includes(one))
  const verbs = offered.map((command) => ({
    word: command.name(),
    description: command.description(),
    options: optionsOf(command),
  }))
  return format(program.name(), verbs, optionsOf(program)).join('\n')
}

/** What may follow a verb: the words that it takes, the verbs below it, and its own options and theirs, each once. */
function optionsOf(command: Command): Word[] {
  const below = command.parent ? command.commands : []
  const taken = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  const words = [
    ...taken.map((word) => ({ word, description: '' })),
    ...below.map((one) => ({ word: one.name(), description: one.description() })),
    ...[command, ...below].flatMap(({ options }) =>
      options.map(({ long, short, description }) => ({ word: long ?? short!, description })),
    ),
    { word: '--help', description: 'display help for command' },
  ]
  return words.filter(({ word }, index) => words.findIndex((one) => one.word === word) === index)
}

const words = (list: readonly Word[]): string => list.map(({ word }) => word).join(' ')
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

function bash(command: string, verbs: readonly Verb[], globals: readonly Word[]): string[] {
  const shellFunction = `_${command.replaceAll('-', '_')}`
  return [
    `# In ~/.bashrc: source <(${command} completion bash)`,
    `${shellFunction}() {`,
    "  local word=${COMP_WORDS[COMP_CWORD]} verb='' words i",
    '  case ${COMP_WORDS[COMP_CWORD - 1]} in',
    '    -C | --directory) mapfile -t COMPREPLY < <(compgen -d -- "$word") && return ;;',
    '  esac',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case ${COMP_WORDS[i]} in',
    '      -C | --directory) ((i++)) ;;',
    '      -*) ;;',
    '      *) verb=${COMP_WORDS[i]} && break ;;',
    '    esac',
    '  done',
    '  case $verb in',
    `    '') words=${quoted(words([...verbs, ...globals]))} ;;`,
    ...verbs.map(({ word, options }) => `    ${word}) words=${quoted(words(options))} ;;`),
    '  esac',
    '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")',
    '}',
    `complete -o default -F ${shellFunction} ${command}`,
  ]
}

function zsh(command: string, verbs: readonly Verb[], globals: readonly Word[]): string[] {
  const shellFunction = `_${command.replaceAll('-', '_')}`
  const described = ({ word, description }: Word): string =>
    quoted(`${word.replaceAll(':', '\\:')}:${description.replaceAll(':', '\\:')}`)
  const list = (wanted: readonly Word[]): string => `choices=(${wanted.map(described).join(' ')})`
  return [
    `# In ~/.zshrc, after compinit: source <(${command} completion zsh)`,
    `${shellFunction}() {`,
    "  local verb='' i",
    '  case ${words[CURRENT - 1]} in',
    '    -C | --directory) _files -/ && return ;;',
    '  esac',
    '  for ((i = 2; i < CURRENT; i++)); do',
    '    case ${words[i]} in',
    '      -C | --directory) ((i++)) ;;',
    '      -*) ;;',
    '      *) verb=${words[i]} && break ;;',
    '    esac',
    '  done',
    '  local -a choices',
    '  case $verb in',
    `    '') ${list([...verbs, ...globals])} ;;`,
    ...verbs.map(({ word, options }) => `    ${word}) ${list(options)} ;;`),
    '  esac',
    `  _describe '${command}' choices`,
    '  [[ -z $verb ]] || _files',
    '}',
    `compdef ${shellFunction} ${command}`,
  ]
}

function fish(command: string, verbs: readonly Verb[], globals: readonly Word[]): string[] {
  const flag = ({ word, description }: Word): string =>
    `${word.startsWith('-') ? `-l ${word.replace(/^--/, '')}` : `-f -a ${word}`} -d ${quoted(description)}`
  // Fish's own __fish_use_subcommand takes the folder behind -C for a verb.
  const first = `-n 'not __fish_seen_subcommand_from ${verbs.map(({ word }) => word).join(' ')}'`
  return [
    `# In ~/.config/fish/config.fish: ${command} completion fish | source`,
    ...globals.map((option) => `complete -c ${command} ${first} ${flag(option)}`),
    ...verbs.flatMap(({ word, description, options }) => [
      `complete -c ${command} ${first} -f -a ${word} -d ${quoted(description)}`,
      ...options.map(
        (option) => `complete -c ${command} -n '__fish_seen_subcommand_from ${word}' ${flag(option)}`,
      ),
    ]),
  ]
}
