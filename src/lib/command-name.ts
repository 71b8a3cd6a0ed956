/**
 * What the program calls itself in help, errors and the commands it tells people to type: the partner's name, which
 * the installer's image sets as `SLIPWAY_COMMAND`, else its own. A name that no shell could run is not taken.
 */
export function commandName(env: NodeJS.ProcessEnv = process.env): string {
  const name = env.SLIPWAY_COMMAND ?? ''
  return /^[a-z][a-z0-9-]*$/.test(name) ? name : 'slipway'
}

/** Whether the program goes by a partner's name. */
export function isBranded(env: NodeJS.ProcessEnv = process.env): boolean {
  return commandName(env) !== 'slipway'
}

/** The program as a name in a sentence: the partner's command, else Slipway. */
export function programName(env: NodeJS.ProcessEnv = process.env): string {
  return isBranded(env) ? commandName(env) : 'Slipway'
}
