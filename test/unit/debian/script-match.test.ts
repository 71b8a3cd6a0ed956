import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../src/debian/effect.ts'
import type { RecipeBook, ScriptRecipe } from '../../../src/debian/recipe.ts'
import { remainder, scriptDigest } from '../../../src/debian/script.ts'
import { matchScripts, scriptsToRun } from '../../../src/debian/script-match.ts'
import { parseTriggers, triggeredEffects } from '../../../src/debian/trigger.ts'
import { caught } from '../../support/caught.ts'

const subject = { name: 'x', version: '1.2-3', architecture: 'arm64' }
const postinst = '#!/bin/sh\nset -e\ntouch /etc/x\n'
const digest = scriptDigest(remainder(postinst))
const control = (files: Record<string, string>) =>
  new Map(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)]))
const book = (...scripts: Partial<ScriptRecipe>[]): RecipeBook => ({
  folders: ['/product/images/recipes', '/slipway/images/recipes'],
  recipes:
    scripts.length === 0
      ? new Map()
      : new Map([
          [
            'x',
            {
              package: 'x',
              file: '/slipway/images/recipes/x.yaml',
              scripts: scripts.map((script) => ({
                script: 'postinst',
                read: '1.0-1',
                sha256: [digest],
                does: '',
                run: false,
                effects: [],
                ...script,
              })),
              triggers: [],
            },
          ],
        ]),
})
const file: Effect = {
  kind: 'file',
  path: '/etc/x',
  content: 'for $DPKG_MAINTSCRIPT_ARCH\n',
  owner: 'root',
  group: 'root',
  replace: false,
}

describe('matchScripts', () => {
  it('gives the effects of the recipe that has the remainder’s digest, for the package’s architecture', () => {
    const effects = matchScripts(subject, control({ postinst }), book({ effects: [file] }), [])
    expect(effects).toEqual([{ ...file, content: 'for arm64\n' }])
  })

  it('puts the effects of preinst before those of postinst', () => {
    const [first, second]: Effect[] = [{ kind: 'shells' }, { kind: 'pam' }]
    const recipes = book({ effects: [second!] }, { script: 'preinst', effects: [first!] })
    expect(matchScripts(subject, control({ postinst, preinst: postinst }), recipes, [])).toEqual([
      first,
      second,
    ])
  })

  it('does not take the recipe of one script for another', () => {
    const error = caught(() => matchScripts(subject, control({ preinst: postinst }), book({}), []))
    expect(error.message).toContain('The preinst of x 1.2-3 does something')
  })

  it('needs no recipe for empty scripts, nor for those that never run at installation', () => {
    const scripts = control({ postinst: '#!/bin/sh\nset -e\nexit 0\n', prerm: 'rm /x\n', postrm: 'rm /x\n' })
    expect(matchScripts(subject, scripts, book(), [])).toEqual([])
  })

  it('takes an accepted script for one without effect, by its digest only', () => {
    const accepted = [{ package: 'x', script: 'postinst', sha256: digest }]
    expect(matchScripts(subject, control({ postinst }), book(), accepted)).toEqual([])
    const changed = control({ postinst: `${postinst}touch /etc/y\n` })
    expect(caught(() => matchScripts(subject, changed, book(), accepted)).code).toBe('unknown-script')
  })

  it('prints an unknown script, and three ways on', () => {
    const error = caught(() => matchScripts(subject, control({ postinst }), book(), []))
    expect(error).toMatchObject({ code: 'unknown-script', exitCode: 1 })
    expect(
      error.message.replaceAll('\\', '/'),
    ).toBe(`The postinst of x 1.2-3 does something that no recipe describes (no recipe is there for the package).

What is left of it, without the sections that debhelper generated:

    #!/bin/sh
    set -e
    touch /etc/x

Three ways on:

1. Say what it does on a new installation, in /product/images/recipes/x.yaml:

    package: x
    scripts:
      - script: postinst
        read: "1.2-3"
        sha256:
          - ${digest}
        does: …
        effects: []

2. Leave it unrun, with a reason, in appliance.yaml:

    accept:
      - package: x
        script: postinst
        sha256: ${digest}
        reason: …

3. Let the script itself run in a container while building: "run: true" in place of effects. That needs a Docker Engine.`)
  })

  it('names the recipe that knows an older script', () => {
    const error = caught(() => matchScripts(subject, control({ postinst }), book({ sha256: ['b'] }), []))
    expect(error.message.split('\n')[0]).toBe(
      'The postinst of x 1.2-3 does something that no recipe describes ' +
        '(/slipway/images/recipes/x.yaml knows it only as it was in 1.0-1).',
    )
  })

  it('gives no effects for a script that must run, and its alternatives are its own affair', () => {
    const own = `${postinst}update-alternatives --install /usr/bin/x x /usr/bin/y 10\n`
    const recipes = book({ run: true, sha256: [scriptDigest(remainder(own))] })
    expect(matchScripts(subject, control({ postinst: own }), recipes, [])).toEqual([])
  })
})

describe('scriptsToRun', () => {
  const run = book({ run: true })

  it('names a script that its recipe lets run, by the hash of all of it', () => {
    const whole = 'bec82e7c53ea385e8ecd72acbd20943f30886b2c0156792c3c10bf53937344ee'
    expect(scriptsToRun(subject, control({ postinst }), run, [])).toEqual([
      { script: 'postinst', sha256: whole },
    ])
  })

  it('leaves unrun what appliance.yaml accepts as it is', () => {
    const accepted = [{ package: 'x', script: 'postinst', sha256: digest }]
    expect(scriptsToRun(subject, control({ postinst }), run, accepted)).toEqual([])
  })

  it('refuses a script that the recipe has not seen', () => {
    const error = caught(() => scriptsToRun(subject, control({ postinst: `${postinst}rm -r /\n` }), run, []))
    expect(error.code).toBe('unknown-script')
  })
})

describe('triggers', () => {
  it('are read with what they await, and without comments', () => {
    const text =
      '# made by hand\ninterest-noawait /usr/share/x\r\ninterest y # why\nactivate-noawait ldconfig\n'
    expect(parseTriggers(text)).toEqual({
      interests: [
        { name: '/usr/share/x', await: false },
        { name: 'y', await: true },
      ],
      activates: ['ldconfig'],
    })
  })

  it('are set off by name, and by files below a path; only for installed packages', () => {
    const recipes: RecipeBook = {
      folders: [],
      recipes: new Map(
        ['/usr/share/x', 'ldconfig'].map((name, index) => [
          `p${index}`,
          {
            package: `p${index}`,
            file: '',
            scripts: [],
            triggers: [{ name, effects: [{ kind: index === 0 ? 'shells' : 'ldconfig' }] }],
          },
        ]),
      ),
    }
    const run = (installed: string[], activates: string[], paths: string[]) =>
      triggeredEffects(recipes, installed, new Set(activates), paths)
    expect(run(['p1', 'p0'], ['ldconfig'], ['usr/share/x/a'])).toEqual([
      { kind: 'shells' },
      { kind: 'ldconfig' },
    ])
    expect(run(['p0'], ['ldconfig'], ['usr/share/xy'])).toEqual([])
  })
})
