import { formatBytes } from '../lib/bytes.ts'
import type { ContainerStep, Step } from './step.ts'

export interface PlanLine {
  readonly sign: '+' | '~' | '-'
  readonly what: string
  readonly why: string
}

/** A plan as the lines of a diff: a line for each thing that comes, changes or goes, however many steps it takes. */
export function describePlan(steps: readonly Step[]): PlanLine[] {
  const lines: PlanLine[] = []
  const seen = new Set<string>()
  for (const step of steps) {
    if (!('service' in step)) {
      lines.push(describeThing(step))
    } else if (!seen.has(step.service)) {
      seen.add(step.service)
      lines.push(
        ...describeService(
          steps.filter(
            (one): one is Step & ContainerStep => 'service' in one && one.service === step.service,
          ),
        ),
      )
    }
  }
  return lines
}

/** Lines with their columns aligned: "+ volume acme_cache   not on this host". */
export function formatPlan(lines: readonly PlanLine[]): string[] {
  const width = Math.max(0, ...lines.map((line) => line.what.length))
  return lines.map((line) => `${line.sign} ${line.what.padEnd(width)}   ${line.why}`)
}

function describeThing(step: Exclude<Step, ContainerStep>): PlanLine {
  const why = step.reason
  switch (step.action) {
    case 'load-image':
      return {
        sign: '+',
        what: `image ${step.image.reference}`,
        why: `${why} (${formatBytes(step.image.size)})`,
      }
    case 'tag-image':
      return { sign: '~', what: `image ${step.reference}`, why }
    case 'create-network':
      return { sign: '+', what: `network ${step.network.name}`, why }
    case 'remove-network':
      return { sign: '-', what: `network ${step.name}`, why }
    case 'create-volume':
      return { sign: '+', what: `volume ${step.volume.name}`, why }
    case 'remove-volume':
      return { sign: '-', what: `volume ${step.name}`, why: `${why}; its data goes with it` }
    case 'fill-volume':
      return { sign: '~', what: `content of ${step.volume}`, why }
    case 'write-licence':
      return { sign: '~', what: `licence in ${step.volume}`, why }
    case 'record-release':
      return { sign: '+', what: `history of ${step.appliance}: ${step.record.release}`, why }
    case 'remove-helper':
      return { sign: '-', what: `container ${step.name}`, why }
    case 'store-setting':
      return { sign: step.value === undefined ? '-' : '~', what: `setting ${step.key}`, why }
  }
}

function describeService(steps: readonly (Step & ContainerStep)[]): PlanLine[] {
  return [...describeContainers(steps), ...describeAdjustments(steps)]
}

/** What changes in a container that stays. */
function describeAdjustments(steps: readonly (Step & ContainerStep)[]): PlanLine[] {
  const memory = steps.filter((step) => step.action === 'set-memory')
  const files = steps.flatMap((step) => (step.action === 'put-files' ? (step.archive.paths ?? []) : []))
  const reloaded = steps.filter((step) => step.action === 'reload-service' && memory.length === 0)
  return [
    ...memory.map(({ name, reason }): PlanLine => ({ sign: '~', what: `memory of ${name}`, why: reason })),
    ...files.map(
      (path): PlanLine => ({
        sign: '~',
        what: `${steps[0]!.service} ${path}`,
        why: 'changed, as in the backup',
      }),
    ),
    ...steps.flatMap((step): PlanLine[] =>
      step.action === 'restore-file'
        ? [{ sign: '~', what: `${step.service} ${step.path}`, why: step.reason }]
        : [],
    ),
    ...reloaded.map(
      ({ name, reason }): PlanLine => ({ sign: '~', what: `container ${name}`, why: `reloaded: ${reason}` }),
    ),
  ]
}

function describeContainers(steps: readonly (Step & ContainerStep)[]): PlanLine[] {
  const of = (action: Step['action']) => steps.filter((step) => step.action === action)
  const [created] = of('create-container')
  const [started] = of('start-container')
  const removed = of('remove-container')
  const renamed = steps.find((step) => step.action === 'rename-container')
  const final = renamed?.action === 'rename-container' ? renamed.to : (created ?? started)?.name
  if (created && removed.length === 0) return [{ sign: '+', what: `container ${final}`, why: created.reason }]
  const gone = removed
    .filter((step) => step.name !== final)
    .map((step): PlanLine => ({ sign: '-', what: `container ${step.name}`, why: step.reason }))
  if (created) {
    return [...gone, { sign: '~', what: `container ${final}`, why: `made anew: ${created.reason}` }]
  }
  if (started) {
    const verb = of('stop-container').some((step) => step.name === started.name) ? 'restarted' : 'started'
    return [...gone, { sign: '~', what: `container ${final}`, why: `${verb}: ${started.reason}` }]
  }
  if (renamed) return [...gone, { sign: '~', what: `container ${final}`, why: renamed.reason }]
  const [waited] = of('wait-healthy')
  if (waited && of('reload-service').length === 0)
    return [...gone, { sign: '~', what: `container ${waited.name}`, why: waited.reason }]
  return removed.map((step) => ({ sign: '-', what: `container ${step.name}`, why: step.reason }))
}
