import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** So much of a difference tells what was wrong. */
const lines = 40

/**
 * A Vitest reporter: writes what failed to the file that SLIPWAY_FAILURES names, as JSON, a text for each failure. A log of
 * which only the end is kept then still says what a test found, not only that it failed.
 */
export default class FailureReporter {
  async onTestRunEnd(modules, unhandled) {
    const failures = listFailures(modules, process.cwd())
    for (const error of unhandled) failures.push(describe('outside of the tests', error))
    await writeFile(process.env.SLIPWAY_FAILURES, JSON.stringify(failures))
  }
}

/** What failed in modules, suites and tests as Vitest reports them: file, name, first line, and the difference. */
export function listFailures(modules, root) {
  return modules.flatMap((module) => {
    const file = path.relative(root, module.moduleId)
    const suites = [...module.children.allSuites()]
    const tests = [...module.children.allTests('failed')]
    return [
      ...module.errors().map((error) => describe(file, error)),
      ...suites.flatMap((suite) =>
        suite.errors().map((error) => describe(`${file}: ${suite.fullName}`, error)),
      ),
      ...tests.flatMap((test) =>
        test.result().errors.map((error) => describe(`${file}: ${test.fullName}`, error)),
      ),
    ]
  })
}

function describe(where, { message, diff = '' }) {
  const [first = '', ...rest] = stripVTControlCharacters(`${message}\n${diff}`).trim().split('\n')
  const shown = rest.slice(0, lines).map((line) => `\n    ${line}`)
  return `${where}: ${first}${shown.join('')}${rest.length > lines ? '\n    …' : ''}`
}
