/** How many tests a vitest JSON report tells of. */

/** Adds two counts. */
export function addCounts(a, b) {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

/** The line that ends a test run. */
export function formatCounts({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/**
 * Counts a report's tests. A file that failed without a failed test (it did not load), a run that ended badly without a
 * failure to show for it, and a run without report or tests count as one failure each.
 */
export function countReport(report, status) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 }
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const file of report.testResults) {
    let failedHere = 0
    for (const { status: outcome } of file.assertionResults) {
      if (outcome === 'passed') counts.passed++
      else if (outcome === 'failed') failedHere++
      else counts.skipped++
    }
    counts.failed += file.status === 'failed' ? Math.max(1, failedHere) : failedHere
  }
  const none = counts.passed + counts.failed === 0
  if (counts.failed === 0 && (status !== 0 || none)) counts.failed = 1
  return counts
}
