/** Labels by which everything of an appliance on a host is known, on containers, networks and volumes. */
export const ownLabels = {
  /** The appliance's name on this host (`--name`). */
  appliance: 'io.slipway.appliance',
  product: 'io.slipway.product',
  release: 'io.slipway.release',
  profile: 'io.slipway.profile',
  /** The service, of a container; the key in the Compose file, of a network or volume. */
  component: 'io.slipway.component',
  /** Hash of what the thing was made from: another hash, another target. */
  target: 'io.slipway.target',
  /** JSON of the command that makes a service take a changed limit or file; of a container. */
  reload: 'io.slipway.reload',
  /** "true": what its service keeps survives a kill; of a container. */
  crashSafe: 'io.slipway.crash-safe',
  /** JSON of pinned library → version; of an image. */
  pins: 'io.slipway.pins',
  /** What clients use its published ports as, "proxy" or "dns"; of a container. */
  serves: 'io.slipway.serves',
  /** JSON of the globs of paths that a service may change; of a container. */
  expected: 'io.slipway.expected',
  /** JSON of the IDs by which Engines may know its image; of a container. */
  imageIds: 'io.slipway.image-ids',
  /** What a volume holds: "cache", "settings", "licence", "state"; as the release says that made it. */
  holds: 'io.slipway.holds',
  /** JSON of the key of each mounted volume that holds any of these → which; of a container, by its own release. */
  contents: 'io.slipway.contents',
  /** Of containers and volumes that are Slipway's own and no service's: one of `roles`. */
  role: 'io.slipway.role',
  /** JSON of who holds the mutex. */
  holder: 'io.slipway.holder',
} as const

export const roles = { state: 'state', mutex: 'mutex', reader: 'reader', keeper: 'keeper' } as const

/** Compose's own labels, so that `docker compose ls`, `ps` and `logs` see an appliance as a project. */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  dependsOn: 'com.docker.compose.depends_on',
  number: 'com.docker.compose.container-number',
  oneoff: 'com.docker.compose.oneoff',
  configHash: 'com.docker.compose.config-hash',
  configFiles: 'com.docker.compose.project.config_files',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
} as const
