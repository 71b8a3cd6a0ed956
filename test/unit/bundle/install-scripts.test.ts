import { describe, expect, it } from 'vitest'
import { type InstallFacts, installScripts } from '../../../src/bundle/installer/install-scripts.ts'
import { readPowerShell } from '../../support/powershell.ts'

const facts: InstallFacts = {
  command: 'acme-wan',
  product: "Bob's “WAN”\nÉdition $HOME `id`",
  version: '1.2.3',
  platform: 'linux/arm64',
  bundle: 'acme-wan-1.2.3-linux-arm64.tar',
  prefix: { size: 70_000_000, sha256: 'ab'.repeat(32) },
  installer: {
    reference: 'acme-wan-installer:1.2.3',
    ids: ['sha256:01', 'sha256:02'],
    layers: ['sha256:0a', 'sha256:0b'],
  },
}
const scripts = await installScripts(facts)
const shell = scripts['install.sh']
const power = scripts['install.ps1']
const wrapperOf = (text: string, from: string, to: string): string =>
  text.slice(text.indexOf(from) + from.length, text.lastIndexOf(to))
const shellCommand = wrapperOf(shell, "<<'COMMAND'\n", '\nCOMMAND\n')
const windowsCommand = wrapperOf(power, "@'\r\n", "\r\n'@")

describe('install.sh and install.ps1', () => {
  it('are the same text for the same facts', async () => {
    expect(await installScripts(facts)).toEqual(scripts)
  })

  it('know the same of the bundle', () => {
    const known = (text: string): string[] =>
      [
        'acme-wan-1.2.3-linux-arm64.tar',
        '70000000',
        'ab'.repeat(32),
        'acme-wan-installer:1.2.3',
        'sha256:01 sha256:02',
        'sha256:0a sha256:0b',
        'arm64',
      ].filter((fact) => text.includes(fact))
    expect(known(shell)).toHaveLength(7)
    expect(known(power)).toHaveLength(7)
  })

  it('leave nothing to be filled in but what is known on the host', () => {
    expect([...new Set(shell.match(/@\w+@/g))]).toEqual(['@image@'])
    expect([...new Set(power.match(/@\w+@/g))].sort()).toEqual(['@addresses@', '@image@'])
  })

  it("take a partner's name as text, whatever it holds", () => {
    expect(shell).toContain("\nproduct='Bob'\\''s “WAN” Édition $HOME `id`'\n")
    expect(shell).toMatch(/^# Installs Bob's “WAN” Édition \$HOME `id` 1\.2\.3 from/m)
    expect(power).toMatch(/^# Installs Bob's \?WAN\? Edition \$HOME `id` 1\.2\.3 from/m)
  })
})

/** PowerShell itself is not on the test host: only its text is judged here. */
describe('install.ps1', () => {
  it('is ASCII with CRLF, and no line of its command ends the string that it stands in', () => {
    expect(power).toMatch(/^[\x20-\x7e\r\n]*$/)
    expect(power.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(windowsCommand).not.toMatch(/^'@/m)
  })

  it('is PowerShell by its grammar, calls what every Windows has, and reads no variable that nothing sets', async () => {
    expect(await readPowerShell(power)).toEqual({
      mistakes: [],
      commands: [
        ...['Copy-Prefix', 'Fail', 'Find-Image', 'Get-ChildItem', 'Get-Command', 'Get-Content'],
        'Get-NetIPConfiguration',
        ...['Join-Path', 'Move-Item', 'New-Item', 'New-Object', 'Remove-Item', 'Say', 'Sort-Object'],
        ...['Test-Containerd', 'Test-Path', 'Where-Object', 'docker'],
      ],
      unset: ['_', 'args', 'lastexitcode', 'null', 'pscommandpath', 'psscriptroot'],
    })
    const wrong = power
      .replace('$Server.Trim() -split', '$Sever.Trim() -split')
      .replace('if (-not $Image) {', 'if (-not $Image {')
    const { mistakes, unset } = await readPowerShell(wrong)
    expect([mistakes.length > 0, unset]).toEqual([true, expect.arrayContaining(['sever'])])
  })

  it('gives the container what install.sh gives it, and nothing more', () => {
    const options = (text: string): string[] => {
      const found =
        text.match(
          /--(?:read-only|rm|interactive)\b|--(?:tmpfs|env|cap-drop|cap-add|security-opt|network|pid|pull|user|label|mount|workdir|group-add|userns)[ ,]("[^"]*"|'[^']*'|\S+)/g,
        ) ?? []
      return [...new Set(found.map((option) => option.replace(/["']/g, '')))].sort()
    }
    const posix = options(shellCommand)
    const fixed = options(windowsCommand).filter(
      (option) => !/SLIPWAY_HOST_ADDRESSES|--mount|--label|--workdir|--user/.test(option),
    )
    expect(fixed.filter((option) => !posix.includes(option))).toEqual([])
    expect(fixed).toEqual(
      expect.arrayContaining(['--read-only', '--cap-drop ALL', '--security-opt no-new-privileges']),
    )
    const run = power.slice(power.lastIndexOf('& docker run'))
    expect(run).toContain('$Options ')
    expect(power).toContain(
      `$Options = '${/--read-only .*? --network host/.exec(shellCommand)![0]}' -split ' '`,
    )
  })

  it('mounts its folder in the one form that takes a path with commas', () => {
    for (const text of [power, windowsCommand]) expect(text).not.toMatch(/src=(?!\/var\/run\/docker\.sock)/)
    expect(power.match(/--volume "\$\{PSScriptRoot\}:\/work(:ro)?"/g)).toHaveLength(2)
    expect(windowsCommand).toContain('--volume "%CD%:/work"')
  })

  it('hands every argument and the exit code on', () => {
    expect(power).toMatch(/install --bundle "\/work\/\$BundleName" \$args\r\n\$Code = \$LASTEXITCODE\r\n/)
    expect(power.trimEnd()).toMatch(/\nexit \$Code$/)
    expect(windowsCommand).toMatch(/%image% %\*\r\n/)
    expect(windowsCommand.trimEnd()).toMatch(/exit \/b %code%$/)
  })
})
