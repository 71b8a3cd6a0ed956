import { describe, expect, it } from 'vitest'
import { countReport, formatCounts } from '../../support/counts.mjs'

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
})
