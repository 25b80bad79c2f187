/** Where files are when nobody says so. It loads nothing, so that a command can look for its node at once. */
import { join } from 'node:path';
import type { Machine } from './machine.js';

/** What the places depend on. */
export type Whereabouts = Pick<Machine, 'isRoot' | 'home'>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Directory for state: below /var/lib for root, otherwise where XDG says. */
export function findStateDirectory(machine: Whereabouts, env: Environment): string {
  if (machine.isRoot) return '/var/lib/tritmesh';
  return join(env['XDG_STATE_HOME'] || join(machine.home, '.local', 'state'), 'tritmesh');
}

/** Path of the configuration file when none is named. */
export function findConfigFile(machine: Whereabouts, env: Environment): string {
  return join(env['XDG_CONFIG_HOME'] || join(machine.home, '.config'), 'tritmesh', 'config.yaml');
}
