import { readReload } from '../../../src/host/inspect.ts'
import type { HostContainer, HostState } from '../../../src/host/state.ts'
import type { Step } from '../../../src/host/step.ts'

/** A host that does what the Engine would do with a step, in plain data; refuses what the Engine would refuse. */
export function applyStep(state: HostState, step: Step): HostState {
  switch (step.action) {
    case 'load-image': {
      const id = step.image.ids[0]!
      const images = untag(state, step.image.reference).filter((image) => image.id !== id)
      return { ...state, images: [...images, { id, tags: [step.image.reference] }] }
    }
    case 'tag-image': {
      const images = untag(state, step.reference)
      if (!images.some((image) => image.id === step.id)) throw new Error(`no image ${step.id}`)
      return {
        ...state,
        images: images.map((image) =>
          image.id === step.id ? { ...image, tags: [...image.tags, step.reference] } : image,
        ),
      }
    }
    case 'create-network': {
      const { name, hash } = step.network
      refuse(
        state.networks.some((one) => one.name === name),
        `network ${name} exists`,
      )
      const id = `network-${name}-${state.networks.length}-${hash}`
      return { ...state, networks: [...state.networks, { id, name, hash }] }
    }
    case 'remove-network': {
      const up = state.containers.filter((one) => isUp(one) && step.name in one.networks)
      refuse(up.length > 0, `network ${step.name} has active endpoints`)
      refuse(!state.networks.some((one) => one.id === step.id), `no network ${step.id}`)
      return { ...state, networks: state.networks.filter((one) => one.id !== step.id) }
    }
    case 'create-volume': {
      const { name, driver, options, labels } = step.volume
      const key = labels['io.slipway.component']
      return {
        ...state,
        volumes: [...state.volumes, { name, ...(key !== undefined && { key }), driver, options }],
      }
    }
    case 'remove-volume':
      refuse(
        state.containers.some((one) => one.volumes.includes(step.name)),
        `volume ${step.name} is in use`,
      )
      return { ...state, volumes: state.volumes.filter((one) => one.name !== step.name) }
    case 'store-setting':
    case 'record-release': {
      const helper = `${step.appliance}-state`
      return { ...state, helpers: [...state.helpers.filter((one) => one !== helper), helper] }
    }
    case 'remove-helper':
      return { ...state, helpers: state.helpers.filter((one) => one !== step.name) }
    case 'fill-volume':
      refuse(!state.volumes.some((one) => one.name === step.volume), `no volume ${step.volume}`)
      return state
    case 'write-licence':
      refuse(!state.volumes.some((one) => one.name === step.volume), `no volume ${step.volume}`)
      return state
    case 'put-files':
      return change(state, step.name, (one) => {
        refuse(one.status !== 'created', `${one.name} was started`)
        return one
      })
    case 'create-container':
      return { ...state, containers: [...state.containers, create(state, step)] }
    case 'stop-container':
      return change(state, step.name, (one) => ({ ...one, status: 'exited' }))
    case 'start-container':
      return change(state, step.name, (one) => start(state, one))
    case 'wait-healthy':
      return change(state, step.name, (one) => {
        refuse(one.status !== 'running', `${one.name} does not run`)
        return { ...one, health: one.health === 'none' ? 'none' : 'healthy' }
      })
    case 'rename-container':
      refuse(
        state.containers.some((one) => one.name === step.to),
        `container ${step.to} exists`,
      )
      return change(state, step.name, (one) => ({ ...one, name: step.to }))
    case 'set-memory':
      return change(state, step.name, (one) => ({ ...one, limit: step.limit }))
    case 'restore-file':
    case 'reload-service':
      return change(state, step.name, (one) => {
        refuse(one.status !== 'running', `${one.name} does not run`)
        return one
      })
    case 'remove-container':
      find(state, step.name)
      return { ...state, containers: state.containers.filter((one) => one.name !== step.name) }
  }
}

type Create = Extract<Step, { action: 'create-container' }>

function create(state: HostState, { name, spec, service, imageIds }: Create): HostContainer {
  refuse(
    state.containers.some((one) => one.name === name),
    `container ${name} exists`,
  )
  const image = state.images.find((one) => one.tags.includes(spec.Image))
  if (!image || !imageIds.includes(image.id)) throw new Error(`no image ${spec.Image}`)
  const volumes = (spec.HostConfig.Binds ?? []).map((bind) => bind.split(':')[0]!)
  for (const volume of volumes) {
    refuse(!state.volumes.some((one) => one.name === volume), `no volume ${volume}`)
  }
  const networks = Object.keys(spec.NetworkingConfig?.EndpointsConfig ?? {})
  const { Memory, MemorySwap } = spec.HostConfig
  return {
    id: `container-${name}-${state.containers.length}`,
    name,
    service,
    hash: spec.Labels['io.slipway.target'] ?? '',
    release: spec.Labels['io.slipway.release'] ?? '',
    profile: '',
    imageId: image.id,
    imageIds,
    status: 'created',
    health: spec.Healthcheck ? 'starting' : 'none',
    networks: Object.fromEntries(networks.map((network) => [network, ''])),
    volumes,
    ports: Object.entries(spec.HostConfig.PortBindings ?? {}).flatMap(([target, bindings]) =>
      bindings.map(({ HostIp, HostPort }) => ({
        ip: HostIp,
        port: Number(HostPort),
        protocol: target.split('/')[1]!,
      })),
    ),
    ...(Memory !== undefined && { limit: { memory: Memory, swap: MemorySwap ?? 2 * Memory } }),
    ...readReload(spec.Labels),
  }
}

function start(state: HostState, one: HostContainer): HostContainer {
  for (const other of state.containers.filter((other) => other !== one && isUp(other))) {
    const clash = one.ports.find((port) =>
      other.ports.some((held) => held.port === port.port && held.protocol === port.protocol),
    )
    refuse(clash !== undefined, `port ${clash?.port} is already allocated to ${other.name}`)
  }
  const networks = Object.keys(one.networks).map((name) => {
    const network = state.networks.find((candidate) => candidate.name === name)
    if (!network || !['', network.id].includes(one.networks[name]!))
      throw new Error(`network ${name} not found`)
    return [name, network.id] as const
  })
  const health = one.health === 'none' ? 'none' : 'starting'
  return { ...one, status: 'running', health, networks: Object.fromEntries(networks) }
}

function untag(state: HostState, reference: string): HostState['images'] {
  return state.images.map((image) => ({ ...image, tags: image.tags.filter((tag) => tag !== reference) }))
}

function change(
  state: HostState,
  name: string,
  edit: (container: HostContainer) => HostContainer,
): HostState {
  find(state, name)
  return { ...state, containers: state.containers.map((one) => (one.name === name ? edit(one) : one)) }
}

function find(state: HostState, name: string): HostContainer {
  const found = state.containers.find((one) => one.name === name)
  if (!found) throw new Error(`no container ${name}`)
  return found
}

function isUp({ status }: HostContainer): boolean {
  return status === 'running' || status === 'restarting' || status === 'paused'
}

function refuse(condition: boolean, why: string): void {
  if (condition) throw new Error(why)
}
