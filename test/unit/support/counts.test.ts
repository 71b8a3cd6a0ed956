import { describe, expect, it } from 'vitest'
import { countReport, formatCounts, listFailures } from '../../support/counts.mjs'

const passed = { status: 'passed' }
const failed = { status: 'failed' }

describe('the sum of a test run', () => {
  it('tests count one each, skipped ones apart', () => {
    const report = {
      testResults: [
        { status: 'passed', assertionResults: [passed, passed, { status: 'pending' }] },
        { status: 'failed', assertionResults: [passed, failed] },
      ],
    }
    expect(countReport(report, 1)).toEqual({ passed: 3, failed: 1, skipped: 1 })
  })

  it('a file that did not load is a failure', () => {
    const report = { testResults: [{ status: 'failed', assertionResults: [] }] }
    expect(countReport(report, 1)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  it('a bad end without a failed test, no report and no tests are failures', () => {
    const good = { testResults: [{ status: 'passed', assertionResults: [passed] }] }
    expect([countReport(good, 1), countReport(undefined, 0), countReport({ testResults: [] }, 0)]).toEqual([
      { passed: 1, failed: 1, skipped: 0 },
      { passed: 0, failed: 1, skipped: 0 },
      { passed: 0, failed: 1, skipped: 0 },
    ])
  })

  it('the line names skipped tests only where there are some', () => {
    expect([
      formatCounts({ passed: 3, failed: 0, skipped: 0 }),
      formatCounts({ passed: 3, failed: 1, skipped: 2 }),
    ]).toEqual(['3 passed, 0 failed', '3 passed, 1 failed, 2 skipped'])
  })

  it('names what failed, each by its file and the first line of what it found', () => {
    const report = {
      testResults: [
        {
          name: '/p/test/a.test.ts',
          status: 'failed',
          message: '',
          assertionResults: [
            { status: 'passed', fullName: 'a holds', failureMessages: [] },
            {
              status: 'failed',
              fullName: 'a is one',
              failureMessages: ['AssertionError: expected 2 to be 1\n  at a.test.ts:3'],
            },
          ],
        },
        { name: '/p/test/b.test.ts', status: 'failed', message: 'no such module\nx', assertionResults: [] },
        { name: '/p/test/c.test.ts', status: 'passed', message: '', assertionResults: [] },
      ],
    }
    expect([listFailures(report, '/p'), listFailures(undefined, '/p')]).toEqual([
      ['test/a.test.ts: a is one: AssertionError: expected 2 to be 1', 'test/b.test.ts: no such module'],
      [],
    ])
  })
})
