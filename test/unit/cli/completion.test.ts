import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { resetLevels } from '../../../src/host/plan-reset.ts'
import { repository, slipway } from '../../support/slipway.ts'

const script = async (shell: string) => (await slipway(['completion', shell])).stdout

/** What bash offers after these words. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const setUp = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`
  const { stdout } = await execa(
    'bash',
    ['-c', `${await script('bash')}\n${setUp}\n_slipway\nprintf '%s\\n' "\${COMPREPLY[@]}"`],
    { cwd: repository },
  )
  return stdout.split('\n').filter(Boolean)
}

describe('slipway completion', () => {
  it('bash: verbs, then the options of the verb, past global options', async () => {
    expect(await offered('slipway', 'va')).toEqual(['validate'])
    expect(await offered('slipway', 'vendor', '--p')).toEqual(['--platform', '--prune'])
    expect(await offered('slipway', '-C', 'build', 'lock', '--u')).toEqual(['--update'])
    expect(await offered('slipway', 'build', 'x')).toEqual([])
  })

  it('bash: the words that a verb takes', async () => {
    expect(await offered('slipway', 'reset', 'c')).toEqual(['clean', 'cache'])
    const levels = (await offered('slipway', 'reset', '')).filter((word) => !word.startsWith('-'))
    expect(levels).toEqual([...resetLevels])
    expect(await offered('slipway', 'completion', 'f')).toEqual(['fish'])
  })

  it('bash: folders where the product directory is said', async () => {
    expect(await offered('slipway', '-C', 'sr')).toEqual(['src'])
    expect(await offered('slipway', 'lock', '--directory', 'sr')).toEqual(['src'])
  })

  it('offers what the help offers: nothing of the inside, and no builder’s verbs under a partner’s name', async () => {
    expect(await script('bash')).not.toContain('load-installer')
    const { stdout } = await slipway(['completion', 'bash'], { env: { SLIPWAY_COMMAND: 'acme-wan' } })
    expect(stdout).toContain('install)')
    expect(stdout).not.toMatch(/\b(rebrand|vendor)\b/)
  })

  it('zsh and fish: with descriptions, quoted', async () => {
    expect(await script('zsh')).toContain(`'--prune:remove other .debs from the folder too'`)
    expect(await script('fish')).toContain(
      " -f -a test -d 'run the definition'\\''s checks on a built layout, without Docker'",
    )
  })

  it('of another shell is refused, with the nearest', async () => {
    const { exitCode, stdout, stderr } = await slipway(['completion', 'bsh'])
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'slipway: There is no completion for bsh; did you mean bash? Choose one of: bash, zsh, fish.',
    })
  })
})

it('a mistake in the command line is one sentence, with the nearest and the help of its verb', async () => {
  const said = async (...parameters: string[]) => {
    const { exitCode, stderr } = await slipway(parameters)
    return [exitCode, stderr]
  }
  expect([
    await said('lok'),
    await said('lock', '--updat'),
    await said('why'),
    await said('licence', 'show', '--jsn'),
  ]).toEqual([
    [2, "slipway: unknown command 'lok'; did you mean lock? The commands and options: slipway --help"],
    [2, "slipway: unknown option '--updat'; did you mean --update? Its options: slipway lock --help"],
    [2, "slipway: missing required argument 'package'. Its options: slipway why --help"],
    [2, "slipway: unknown option '--jsn'; did you mean --json? Its options: slipway licence show --help"],
  ])
})
