import { expect, it } from 'vitest'
import type { BundleFacts } from '../../../src/bundle/pack-bundle.ts'
import { readmePage } from '../../../src/bundle/readme-page.ts'

const facts: BundleFacts = {
  product: {
    name: 'acme-wan',
    version: '1.2.3',
    command: 'acme-wan',
    vendor: 'Acme Networks',
    product: 'Acme WAN',
    support: 'help@acme.example',
  },
  platform: 'linux/amd64',
  kind: 'full',
  bundle: 'acme-wan-1.2.3-linux-amd64.tar',
  prefix: { size: 1, sha256: 'a' },
}

const installs = (profiles: readonly string[]) => {
  const lines = readmePage(facts, profiles).split('\n')
  return lines.slice(lines.indexOf('## Install, or update') + 1, lines.indexOf('## Afterwards'))
}

it('the page beside a bundle types a first install that works: it chooses a profile where there are several', () => {
  expect(installs(['branch', 'campus'])).toEqual([
    '',
    'On Linux, in this folder:',
    '',
    '    sh install.sh --profile NAME',
    '',
    'On Windows with Docker Desktop (Linux containers), in PowerShell, in this folder:',
    '',
    '    powershell -ExecutionPolicy Bypass -File install.ps1 --profile NAME',
    '',
    'NAME is the kind of site, one of: branch, campus. To update, leave `--profile NAME` out.',
    '',
    'Run again, it changes nothing. If it was interrupted, run it again: it goes on.',
    '',
  ])
  expect(installs(['branch']).join('\n')).not.toContain('NAME')
})
