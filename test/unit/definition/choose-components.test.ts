import { describe, expect, it } from 'vitest'
import {
  chooseComponents,
  type FoundComponent,
  placeLayers,
} from '../../../src/definition/choose-components.ts'
import { parseYaml } from '../../../src/definition/yaml-file.ts'
import { tinyDefinition } from '../../support/tiny-definition.ts'

const found = (name: string, more: Partial<FoundComponent> & { layer?: string } = {}): FoundComponent => {
  const { layer = name, ...rest } = more
  const component = { ...tinyDefinition([{ name }]).components[0]!, layer }
  const place = () => ({ file: `images/${name}/component.yaml`, line: 1 })
  return { component, place, named: more.layer !== undefined, optional: false, ...rest }
}
const appliance = parseYaml('name: x\noptional: [tunel]\n', 'appliance.yaml')
const names = (list: readonly FoundComponent[]) => list.map(({ component }) => component.name)

describe('chooseComponents', () => {
  const all = [found('base'), found('haproxy', { optional: true }), found('tunnel', { optional: true })]

  it('leaves optional components out until they are listed', () => {
    expect(names(chooseComponents([], all, appliance).chosen)).toEqual(['base'])
    expect(names(chooseComponents(['tunnel'], all, appliance).chosen)).toEqual(['base', 'tunnel'])
  })

  it('refuses what is no optional component, with the nearest name', () => {
    expect(chooseComponents(['tunel'], all, appliance).problems).toEqual([
      {
        file: 'appliance.yaml',
        line: 2,
        path: 'optional[0]',
        text: 'optional[0] is "tunel", which is no optional component; it must be one of haproxy, tunnel; did you mean tunnel?',
      },
    ])
  })
})

describe('placeLayers', () => {
  it('gives a component that no layer is named for one of its own, beneath the brand’s, by name', () => {
    const components = [found('base'), found('zeta'), found('acme'), found('brand')]
    expect(placeLayers(['base', 'brand'], components)).toEqual({
      layers: ['base', 'acme', 'zeta', 'brand'],
      problems: [],
    })
  })

  it('refuses a layer that a component names and appliance.yaml does not', () => {
    const { problems } = placeLayers(['base', 'brand'], [found('acme', { layer: 'bace' })])
    expect(problems.map(({ text }) => text)).toEqual([
      'the layer is "bace"; it must be one of appliance.yaml\'s layers: base, brand; did you mean base?',
    ])
  })

  it('takes an empty layer of nearly the component’s name for a slip of the pen', () => {
    const { layers, problems } = placeLayers(
      ['base', 'optimizer', 'brand'],
      [found('base'), found('optimiser')],
    )
    expect(layers).toEqual(['base', 'optimizer', 'brand'])
    expect(problems[0]!.text).toContain('the layer is "optimiser"; ')
    expect(problems[0]!.text).toContain('did you mean optimizer?')
  })
})
