/**
 * The configuration of the demo's nodes: the defaults with shorter intervals, so that minutes become seconds. Pure.
 */
import { stringify } from 'yaml';

/** The configuration as YAML. */
export function formatConfig(isLinux: boolean = process.platform === 'linux'): string {
  return stringify({
    sense: {
      // Without /proc each sample starts `ps`, and systeminformation returns old values if it is asked too soon.
      load_every_ms: isLinux ? 500 : 1000,
      processes_every_ms: isLinux ? 1000 : 2000,
    },
    // Long enough that a job of half a second changes no trit.
    trit: { plus_hold_ms: 1500, minus_hold_ms: 1500, ergodic_hold_ms: 1500 },
    state: { every_ms: 1500 },
    transfer: { listen: '127.0.0.1' },
  });
}
