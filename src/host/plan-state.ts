import { planDueReloads } from './due-reload.ts'
import { stateVolume } from './own-things.ts'
import type { HostState } from './state.ts'
import type { ReleaseRecord, StateDocument } from './state-document.ts'
import type { Step } from './step.ts'
import { planSettings, type Settings } from './stored-settings.ts'

/** What an install leaves to be remembered. */
export interface WantedState {
  readonly settings: Settings
  readonly release: Omit<ReleaseRecord, 'at'>
}

/**
 * The steps of an install with those that remember it: settings that differ, and the release where anything changes
 * or the last one noted is another. They come when everything new serves and before anything former goes, so that an
 * install that fails leaves the settings of what serves.
 */
export function withStateSteps(
  steps: readonly Step[],
  current: HostState,
  stored: StateDocument,
  wanted: WantedState,
): Step[] {
  const all = [...steps, ...planDueReloads(steps, current, stored)]
  const settings = planSettings(current.name, stored.settings, wanted.settings)
  const last = stored.history.at(-1)
  const { release, image, profile } = wanted.release
  const isNew = last?.release !== release || last.image !== image || last.profile !== profile
  if (all.length === 0 && settings.length === 0 && !isNew) return []
  const volume = stateVolume(current.name)
  const isThere = current.volumes.some((one) => one.name === volume.name)
  const reason = `release ${release} with the profile ${profile}`
  const serving = all.findLastIndex(({ action }) => action === 'wait-healthy') + 1 || all.length
  const started = all.findLastIndex(({ action }) => action === 'start-container') + 1
  const made = isThere ? [] : [{ action: 'create-volume' as const, volume, reason: 'settings and history' }]
  return [
    ...all.slice(0, started),
    // While services come up there is time for it.
    ...made,
    ...all.slice(started, serving),
    ...settings,
    { action: 'record-release', appliance: current.name, record: wanted.release, reason },
    ...all.slice(serving),
  ]
}
