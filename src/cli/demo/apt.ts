import { appendFile, readFile } from 'node:fs/promises'
import { execa } from 'execa'
import { SlipwayError } from '../../lib/errors.ts'

export interface AptOptions {
  /** Called with a line before each step. */
  readonly say: (line: string) => void
  /** Everything apt-get prints is added here. */
  readonly logFile: string
  readonly signal?: AbortSignal
}

/** Whether this is Debian, Ubuntu or one made from them, with root: apt-get may install (os-release(5)). */
export async function canInstallPackages(): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  return isDebianLike(await readFile('/etc/os-release', 'utf8').catch(() => ''))
}

/** Reads ID and ID_LIKE of an os-release file. */
export function isDebianLike(osRelease: string): boolean {
  return osRelease.split(/\r?\n/).some((line) => {
    const [, value] = /^ID(?:_LIKE)?=["']?([^"']*)["']?$/.exec(line) ?? []
    return value !== undefined && /\b(debian|ubuntu)\b/.test(value)
  })
}

/** Those of `names` that dpkg does not have installed. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  const format = `\${Package} \${db:Status-Status}\n`
  const { stdout } = await execa('dpkg-query', ['-W', '-f', format, ...names], {
    reject: false,
    stderr: 'ignore',
  })
  const installed = new Set(stdout.split('\n').filter((line) => line.endsWith(' installed')))
  return names.filter((name) => !installed.has(`${name} installed`))
}

/** Installs packages with apt-get, after updating its lists. Throws `apt-failed`, naming the log. */
export async function installPackages(names: readonly string[], options: AptOptions): Promise<void> {
  options.say('apt-get update')
  await runApt(['update'], options)
  options.say(`apt-get install --no-install-recommends ${names.join(' ')}`)
  await runApt(['install', '-y', '--no-install-recommends', ...names], options)
}

async function runApt(parameters: readonly string[], options: AptOptions): Promise<void> {
  const lockPatience = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
  const result = await execa('apt-get', [...lockPatience, ...parameters], {
    all: true,
    stdin: 'ignore',
    reject: false,
    // RUNLEVEL keeps invoke-rc.d from starting daemons by init script: here they are started, and stopped, by pid.
    env: { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    ...(options.signal && { cancelSignal: options.signal }),
  })
  await appendFile(options.logFile, `$ ${result.command}\n${result.all ?? ''}\n`)
  options.signal?.throwIfAborted()
  if (!result.failed) return
  const said = (result.all ?? result.shortMessage ?? '').trim().split('\n').at(-1)
  throw new SlipwayError(
    'apt-failed',
    `apt-get ${parameters[0]} failed (${said}); the whole output is in ${options.logFile}.`,
    { cause: result },
  )
}
