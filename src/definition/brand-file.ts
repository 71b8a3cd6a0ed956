import path from 'node:path'
import { isFile } from '../lib/is-file.ts'
import type { Brand } from './definition.ts'
import { loadDefinition } from './load.ts'
import { logoFault } from './logo.ts'
import { type Problem, refuseProblems, type ValuePath } from './problem.ts'
import { checkSchema } from './schema.ts'
import { readYamlFile, type YamlFile } from './yaml-file.ts'

/** A brand for an image that is built already. What is absent stays as the image has it. */
export interface NewBrand {
  readonly brand: Brand
  readonly name?: string
  readonly version?: string
  readonly description?: string
}

const again = 'run the same command again.'

/**
 * Reads a brand: a file of what `brand` holds in `appliance.yaml`, or an `appliance.yaml` itself, which gives name,
 * release and description too. Throws a DefinitionError.
 */
export async function readBrandFile(file: string): Promise<NewBrand> {
  const directory = path.dirname(file)
  const yaml = await readYamlFile({ directory, label: '' }, path.basename(file))
  if (path.basename(file) === 'appliance.yaml' && yaml.problems.length === 0) {
    const { brand, name, version, description } = await loadDefinition(directory)
    return { brand, name, version, description }
  }
  refuseProblems([...yaml.problems, ...(yaml.problems.length > 0 ? [] : checkBrand(yaml))], again)
  const { logo, ...brand } = yaml.value as Brand
  if (logo === undefined) return { brand }
  const place = path.resolve(directory, ...logo.split('/'))
  const fault = (await isFile(place)) ? await logoFault(place) : undefined
  const text = (await isFile(place))
    ? fault && `logo is "${logo}", which ${fault}`
    : `logo is "${logo}", but there is no such file`
  if (text) refuseProblems([{ ...yaml.placeOf(['logo']), path: 'logo', text }], again)
  return { brand: { ...brand, logo: place } }
}

/** The schema of `appliance.yaml` over a product that is all brand; places and paths are those of the file. */
function checkBrand(yaml: YamlFile): Problem[] {
  const below = (at: ValuePath): ValuePath => (at[0] === 'brand' ? at.slice(1) : at)
  const whole: YamlFile = { ...yaml, placeOf: (at) => yaml.placeOf(below(at)) }
  const value = {
    ...{ name: 'x', version: '1.0.0', debian: { suite: 'x', keyrings: ['x'] }, layers: ['brand'] },
    brand: yaml.value,
  }
  return checkSchema('appliance', { ...whole, value })
}
