import { exitCodes, SlipwayError } from '../lib/errors.ts'

/** One thing looked at: what it is, whether an appliance can live with it, and what to do where it cannot. */
export interface Finding {
  /** Stable name for programs: "memory", "port 53/udp". */
  readonly check: string
  readonly status: 'pass' | 'warn' | 'fail'
  readonly says: string
  /** Absent for what passes. */
  readonly fix?: string
}

export function pass(check: string, says: string): Finding {
  return { check, status: 'pass', says }
}

export function warn(check: string, says: string, fix: string): Finding {
  return { check, status: 'warn', says, fix }
}

export function fail(check: string, says: string, fix: string): Finding {
  return { check, status: 'fail', says, fix }
}

/** An error met on the way to a judgement, as a finding. */
export function failedFinding(check: string, error: SlipwayError): Finding {
  return { check, status: 'fail', ...splitAdvice(error.message) }
}

/** A note with its advice, as a warning. */
export function notedFinding(check: string, note: string): Finding {
  return { check, status: 'warn', ...splitAdvice(note) }
}

/** Throws `preflight-failed`, exit code 3, with every failed finding in its words. */
export function refuseFailures(findings: readonly Finding[]): void {
  const failed = findings.filter((one) => one.status === 'fail')
  if (failed.length === 0) return
  throw new SlipwayError(
    'preflight-failed',
    failed.map(({ says, fix }) => (fix ? `${says}; ${fix}.` : `${says}.`)).join(' '),
    { exitCode: exitCodes.preflightFailed },
  )
}

function splitAdvice(message: string): Pick<Finding, 'says' | 'fix'> {
  const text = message.replace(/\.$/, '')
  const at = Math.max(text.lastIndexOf('; '), text.lastIndexOf(': '))
  return at < 0 ? { says: text } : { says: text.slice(0, at), fix: text.slice(at + 2) }
}
