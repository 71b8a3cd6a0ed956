import { matchesPin } from '../debian/resolver-candidates.ts'
import type { TarEntry } from '../debian/tar-reader.ts'
import type { Check } from '../definition/definition.ts'
import { nearest } from '../lib/nearest.ts'
import { installedPackages, type OpenedImage } from './image-files.ts'

export interface CheckResult {
  /** The check in words: "package squid-openssl is installed". */
  readonly title: string
  /** Why it does not hold; absent when it does. */
  readonly failure?: string
}

/** Runs a definition's checks on an image, without a container. Pure. */
export function checkImage(image: OpenedImage, checks: readonly Check[]): CheckResult[] {
  return checks.map((check) => {
    const { title, failure } = checkOne(image, check)
    return failure === undefined ? { title } : { title, failure }
  })
}

function checkOne(image: OpenedImage, check: Check): { title: string; failure: string | undefined } {
  if ('file' in check)
    return { title: `${check.file} is there as declared`, failure: checkFile(image, check) }
  if ('absent' in check) {
    const found = lookUp(image.files, check.absent, false)
    return { title: `${check.absent} is absent`, failure: found && `it is a ${found.type}` }
  }
  if ('package' in check) return checkPackage(image, check)
  if ('user' in check) {
    const line = accountLine(image, 'etc/passwd', check.user)
    const failure = !line
      ? 'there is no such user'
      : Number(line[2]) === check.uid
        ? undefined
        : `its id is ${line[2]}`
    return { title: `user ${check.user} has id ${check.uid}`, failure }
  }
  const ports = Object.keys(image.config.config.ExposedPorts ?? {})
  const failure = ports.includes(check.port)
    ? undefined
    : `the image declares ${ports.join(', ') || 'no port'}`
  return { title: `port ${check.port} is declared`, failure }
}

function checkPackage(image: OpenedImage, check: { package: string; version?: string }) {
  const packages = installedPackages(image.files)
  const version = packages.get(check.package)
  const title = `package ${check.package}${check.version ? ` ${check.version}` : ''} is installed`
  if (version === undefined) {
    const [near] = nearest(check.package, packages.keys())
    return { title, failure: `it is not${near ? `; ${near} is` : ''}` }
  }
  const wrong = check.version !== undefined && !matchesPin(version, check.version)
  return { title, failure: wrong ? `version ${version} is` : undefined }
}

function checkFile(image: OpenedImage, check: Extract<Check, { file: string }>): string | undefined {
  const entry = lookUp(image.files, check.file)
  if (!entry) return 'it is missing'
  if (check.mode !== undefined && entry.mode !== check.mode) {
    return `its mode is ${entry.mode.toString(8).padStart(4, '0')}, not ${check.mode.toString(8).padStart(4, '0')}`
  }
  if (check.owner !== undefined) {
    const uid = accountLine(image, 'etc/passwd', check.owner)?.[2]
    if (uid === undefined) return `there is no user ${check.owner} to own it`
    if (Number(uid) !== entry.uid) return `it belongs to the user with id ${entry.uid}, not to ${check.owner}`
  }
  if (check.contains !== undefined) {
    const text = Buffer.from(entry.content ?? []).toString('utf8')
    if (!text.includes(check.contains)) return `it does not contain "${check.contains}"`
  }
  return undefined
}

function accountLine(image: OpenedImage, file: string, name: string): string[] | undefined {
  const text = Buffer.from(image.files.get(file)?.content ?? []).toString('utf8')
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[0] === name)
}

/** Finds an absolute path, its symbolic links followed; the last only where `isLastFollowed`: one to nothing is there. */
export function lookUp(
  files: ReadonlyMap<string, TarEntry>,
  absolute: string,
  isLastFollowed = true,
): TarEntry | undefined {
  const pending = absolute.split('/').filter(Boolean)
  const done: string[] = []
  for (let hops = 0; pending.length > 0; ) {
    const part = pending.shift()!
    if (part === '..') done.pop()
    else if (part !== '.') done.push(part)
    const entry = files.get(done.join('/'))
    if (entry?.type !== 'symlink' || (pending.length === 0 && !isLastFollowed)) continue
    if (++hops > 40) return undefined
    done.pop()
    if (entry.target!.startsWith('/')) done.length = 0
    pending.unshift(...entry.target!.split('/').filter(Boolean))
  }
  const found = files.get(done.join('/'))
  return found?.type === 'hardlink' ? files.get(found.target!) : found
}
