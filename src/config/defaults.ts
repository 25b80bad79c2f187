/** The default of every key that has one. Pure: facts about the machine are passed in. */
import { THROTTLE_METHODS } from '../core/processes/saved-throttle.js';
import { DEFAULT_TRIT_RULES } from '../core/mesh/trit.js';
import { ATTEMPTS_DEFAULT } from '../protocol/item-name.js';
import { UNSIGNED_VERBS } from '../protocol/requests.js';
import type { Config } from './config.js';
import type { Machine } from './machine.js';
import { findStateDirectory } from './places.js';

/** Environment variables. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Creates the defaults for a machine. Keys without a default are left out. */
export function createDefaults(machine: Machine, env: Variables): Config {
  return {
    broker: 'mqtt://127.0.0.1:1883',
    id: deriveNodeId(machine.hostname),
    base: 'tritmesh',
    state_dir: findStateDirectory(machine, env),
    labels: [],
    slots: countDefaultSlots(machine.cpus),
    cpus: Math.max(1, machine.cpus),
    sense: { metric: 'ewma', load_every_ms: 2000, processes_every_ms: 10_000 },
    trit: createTritDefaults(),
    scum: {
      formula: 'clamped',
      throttle: 'managed',
      migrate: 'managed',
      rules: [],
      share_percent: 50,
      throttle_methods: THROTTLE_METHODS,
      vacate_after_ms: 60_000,
    },
    rebalance: 'pairs',
    lease: { lease_ms: 60_000, margin_ms: 15_000 },
    offers: { ttl_ms: 10_000, repeat_ms: 1000, claim_step_ms: 40, claim_window_ms: 120, claim_hold_ms: 3000 },
    moves: { projected_max: 0.65, gain_min: 0.1, cooldown_ms: 60_000, item_rest_ms: 600_000 },
    journal: { sync: false },
    transfer: { listen: '::', port: 0, advertise: [] },
    disk: { reserve: 'auto' },
    limits: { output: '10%' },
    accept: 'commands',
    accept_from: ['*'],
    requests: { unsigned: UNSIGNED_VERBS },
    state: { every_ms: 15_000, offline_after_ms: 3000 },
    retry: { attempts: ATTEMPTS_DEFAULT },
    keep_settled_ms: 86_400_000,
    status_kept_ms: 600_000,
    log_level: 'info',
  };
}

function createTritDefaults(): Config['trit'] {
  const rules = DEFAULT_TRIT_RULES;
  return {
    plus_above: rules.plusAbove,
    plus_leave_below: rules.plusLeaveBelow,
    minus_below: rules.minusBelow,
    minus_leave_above: rules.minusLeaveAbove,
    plus_hold_ms: rules.plusHoldMs,
    minus_hold_ms: rules.minusHoldMs,
    ergodic_hold_ms: rules.ergodicHoldMs,
    hysteresis: rules.hysteresis,
  };
}

/** Slots for a machine with this many cores: one per core, and at least one. */
export function countDefaultSlots(cpus: number): number {
  return Math.max(1, Math.floor(cpus));
}

/** A node id from a host name: its first label in lower case, other characters as dashes; `node` if nothing is left. */
export function deriveNodeId(hostname: string): string {
  const [label = ''] = hostname.toLowerCase().split('.');
  const id = label.replaceAll(/[^a-z0-9-]/g, '-').slice(0, 32);
  return /[a-z0-9]/.test(id) ? id : 'node';
}
