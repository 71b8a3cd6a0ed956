import { nearest } from '../lib/nearest.ts'
import type { Component } from './definition.ts'
import { type Problem, showPath } from './problem.ts'
import type { Place, YamlFile } from './yaml-file.ts'

/** A folder of images/ that holds a component.yaml. */
export interface FoundComponent {
  readonly component: Component
  /** Where its layer stands, or would. */
  readonly place: () => Place
  /** Whether its file names the layer; else it is the component's own name. */
  readonly named: boolean
  /** Whether it waits to be switched on. */
  readonly optional: boolean
}

/** The components that are built: all but the optional ones that `appliance.yaml` does not list. */
export function chooseComponents(
  wanted: readonly string[],
  found: readonly FoundComponent[],
  appliance: YamlFile,
): { chosen: FoundComponent[]; problems: Problem[] } {
  const known = found.filter(({ optional }) => optional).map(({ component }) => component.name)
  const problems = wanted.flatMap((name, index): Problem[] => {
    if (known.includes(name)) return []
    const at = ['optional', index]
    const near = nearest(name, known)[0]
    const choice = known.length === 0 ? 'there is none' : `it must be one of ${known.join(', ')}`
    const text = `${showPath(at)} is "${name}", which is no optional component; ${choice}${near ? `; did you mean ${near}?` : ''}`
    return [{ ...appliance.placeOf(at), path: showPath(at), text }]
  })
  const chosen = found.filter(({ component, optional }) => !optional || wanted.includes(component.name))
  return { chosen, problems }
}

/**
 * The layers, bottom to top: those that `appliance.yaml` names, and beneath the last, the brand's, one for each component
 * that has none there. So a folder in images/ is all that a new component takes.
 */
export function placeLayers(
  layers: readonly string[],
  components: readonly FoundComponent[],
): { layers: string[]; problems: Problem[] } {
  const used = components.map(({ component }) => component.layer)
  const unused = layers.filter((layer) => !used.includes(layer))
  const added: string[] = []
  const problems: Problem[] = []
  for (const { component, place, named } of components) {
    if (layers.includes(component.layer)) continue
    const near = nearest(component.layer, named ? layers : unused)[0]
    if (named || near) {
      const text = `the layer is "${component.layer}"; it must be one of appliance.yaml's layers: ${layers.join(', ')}${near ? `; did you mean ${near}?` : ''}`
      problems.push({ ...place(), path: 'layer', text })
    } else added.push(component.layer)
  }
  return { layers: [...layers.slice(0, -1), ...added.sort(), ...layers.slice(-1)], problems }
}
