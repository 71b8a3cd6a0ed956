import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { findRecipes, parseRecipe, parseRecipes } from '../../../src/debian/recipe-load.ts'

const digest = 'a'.repeat(64)
const head = (name: string) => `package: ${name}
scripts:
  - script: postinst
    read: "1.0-1"
    sha256: [${digest}]
    does: makes things
`

describe('parseRecipe', () => {
  it('reads every kind of effect, with defaults for what is left out', () => {
    const text = `${head('xy')}    effects:
      - user: { name: x, group: nogroup, home: /var/lib/x }
      - directory: { path: /run/x, owner: x }
      - file: { path: /etc/x, content: "a\\n", mode: "0600" }
      - symlink: { path: /etc/y, target: x }
      - capability: { path: /usr/bin/x, capabilities: cap_net_raw=ep }
      - shadow: true
triggers:
  - name: /usr/share/x
    effects: [shells: true]
`
    expect(parseRecipe('/r/xy.yaml', text)).toEqual({
      package: 'xy',
      file: '/r/xy.yaml',
      scripts: [
        {
          script: 'postinst',
          read: '1.0-1',
          sha256: [digest],
          does: 'makes things',
          run: false,
          effects: [
            {
              kind: 'user',
              name: 'x',
              group: 'nogroup',
              home: '/var/lib/x',
              shell: '/usr/sbin/nologin',
              comment: '',
            },
            { kind: 'directory', path: '/run/x', mode: 0o755, owner: 'x', group: 'root' },
            {
              kind: 'file',
              path: '/etc/x',
              content: 'a\n',
              mode: 0o600,
              owner: 'root',
              group: 'root',
              replace: false,
            },
            { kind: 'symlink', path: '/etc/y', target: 'x', replace: false },
            { kind: 'capability', path: '/usr/bin/x', capabilities: 'cap_net_raw=ep' },
            { kind: 'shadow' },
          ],
        },
      ],
      triggers: [{ name: '/usr/share/x', effects: [{ kind: 'shells' }] }],
    })
  })

  it.each([
    ['effect: []', 'scripts[0]: the key "effect" is unknown; the nearest known is "effects".'],
    [
      'effects: [usr: { name: x }]',
      'scripts[0].effects[0]: the key "usr" is unknown; the nearest known is "user".',
    ],
    [
      'effects: [directory: { path: run/x }]',
      'scripts[0].effects[0].directory.path: found "run/x", expected an absolute path in the image, without . or .. parts.',
    ],
    [
      'effects: [mode: { path: /a/../b, mode: "0755" }]',
      'scripts[0].effects[0].mode.path: found "/a/../b", expected an absolute path in the image, without . or .. parts.',
    ],
    [
      'effects: [mode: { path: /a, mode: 755 }]',
      'scripts[0].effects[0].mode.mode: found 755, expected an octal mode in quotes, such as "0755".',
    ],
    ['effects: [owner: { path: /a, owner: x }]', 'scripts[0].effects[0].owner: the key "group" is missing.'],
    ['effects: [file: { path: /a }]', 'scripts[0].effects[0].file: it needs either content or copyOf.'],
    ['effects: [{ pam: true, shells: true }]', 'scripts[0].effects[0]: an effect has exactly one key.'],
  ])('refuses %s', (line, message) => {
    expect(() => parseRecipe('/r/xy.yaml', `${head('xy')}    ${line}\n`)).toThrow(
      expect.objectContaining({
        code: 'bad-recipe',
        exitCode: 2,
        message: expect.stringMatching(/^\/r\/xy\.yaml:[378]: /),
      }),
    )
    expect(() => parseRecipe('/r/xy.yaml', `${head('xy')}    ${line}\n`)).toThrow(message)
  })

  it('tells what is wrong with each of several, and the next command', () => {
    const files = new Map(
      ['aa', 'bb'].map((name) => [name, { file: `/r/${name}.yaml`, text: `package: ${name}\nscripts: 5\n` }]),
    )
    const wrong = (name: string) =>
      `  /r/${name}.yaml:2: scripts: found 5, expected a list of scripts that were read.\n`
    expect(() => parseRecipes({ folders: [], files })).toThrow(
      `2 recipes are wrong:\n${wrong('aa')}${wrong('bb')}Correct them, then run: slipway validate`,
    )
  })

  it('refuses a file whose name is not the package’s', () => {
    expect(() => parseRecipe('/r/y.yaml', head('xy'))).toThrow(
      '/r/y.yaml: it is for xy, so its name must be xy.yaml.',
    )
  })

  it('refuses a script with both effects and run', () => {
    expect(() => parseRecipe('/r/xy.yaml', `${head('xy')}    run: true\n    effects: []\n`)).toThrow(
      '/r/xy.yaml: a script has either effects or run, not both.',
    )
  })

  it('refuses what is no YAML', () => {
    expect(() => parseRecipe('/r/xy.yaml', 'package: [')).toThrow(
      /^\/r\/xy\.yaml is no YAML: .+ at line 1, column 11\.$/,
    )
  })
})

describe('findRecipes and parseRecipes', () => {
  let folder: string | undefined
  afterEach(async () => {
    if (folder) await rm(folder, { recursive: true })
    folder = undefined
  })

  it('takes a package’s recipe from the folder named first, and an absent folder for an empty one', async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'slipway-recipes-'))
    const [own, shared] = [path.join(folder, 'own'), path.join(folder, 'shared')]
    await mkdir(own)
    await mkdir(shared)
    await writeFile(path.join(own, 'ab.yaml'), head('ab'))
    await writeFile(path.join(shared, 'ab.yaml'), head('ab'))
    await writeFile(path.join(shared, 'cd.yaml'), head('cd'))
    const { recipes } = parseRecipes(await findRecipes([path.join(folder, 'absent'), own, shared]))
    expect([...recipes].map(([name, recipe]) => [name, recipe.file])).toEqual([
      ['ab', path.join(own, 'ab.yaml')],
      ['cd', path.join(shared, 'cd.yaml')],
    ])
  })

  it('reads every recipe that Slipway ships', async () => {
    const shipped = fileURLToPath(new URL('../../../images/recipes', import.meta.url))
    const { recipes } = parseRecipes(await findRecipes([shipped]))
    expect([...recipes.keys()].map((name) => `${name}.yaml`)).toEqual((await readdir(shipped)).sort())
  })
})
