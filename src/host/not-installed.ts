import { commandName, isBranded } from '../lib/command-name.ts'

/** That an appliance is not on a host, and what installs it: under a partner's name there is no build to install, only a bundle. */
export function notInstalled(name: string): string {
  const source = isBranded() ? ' --bundle FILE --profile NAME' : ''
  return `${name} is not installed on this host; \`${commandName()} install${source}\` installs it.`
}
