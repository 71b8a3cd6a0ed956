import { fileURLToPath } from 'node:url'

/** Slipway's own folder, where its package.json is. This module lies two folders below it, as it is compiled and packed too. */
export const ownFolder = fileURLToPath(new URL('../..', import.meta.url))
