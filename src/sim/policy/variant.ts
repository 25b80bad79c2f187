/**
 * The policies that are compared: the defaults of a new node, and variants with one setting changed.
 */
import type { Config } from '../../config/config.js';
import { createDefaults } from '../../config/defaults.js';
import { toNodeSettings } from '../../config/node-settings.js';
import type { NodeSettings } from '../../pipelines/settings.js';
import { SIM_BASE } from '../settings.js';

/** A policy, as a change of the defaults. */
export interface Variant {
  readonly name: string;
  change(config: Config): Config;
}

/** The defaults, unchanged. */
export const DEFAULT_VARIANT: Variant = { name: 'defaults', change: (config) => config };

/** The policies that the defaults are compared with. */
export const COMPARED: readonly Variant[] = [
  {
    name: 'gf3',
    change: (config) => ({ ...config, rebalance: 'gf3' }),
  },
  {
    name: 'no hysteresis',
    change: (config) => ({ ...config, trit: { ...config.trit, hysteresis: false } }),
  },
  {
    name: 'all claim',
    change: (config) => ({ ...config, offers: { ...config.offers, claim_step_ms: 0 } }),
  },
];

/** The default interval at which a node senses its load, ms. */
export const SENSE_MS: number = defaultsOf('sim', 1).sense.load_every_ms;

/** The settings of a node with `cpus` cores. `stateEveryMs` replaces the default if given. */
export function settingsOfVariant(
  variant: Variant,
  id: string,
  cpus: number,
  stateEveryMs: number | undefined,
): NodeSettings {
  const config = variant.change(defaultsOf(id, cpus));
  const settings = toNodeSettings(
    config,
    { host: id, os: 'sim', arch: 'sim', memory_bytes: MEMORY_BYTES, version: 'sim', abilities: [] },
    '1',
  );
  return stateEveryMs === undefined ? settings : { ...settings, stateEveryMs };
}

const MEMORY_BYTES: number = 8 * 1024 ** 3;

function defaultsOf(id: string, cpus: number): Config {
  return { ...createDefaults({ hostname: id, cpus, isRoot: false, home: '/home' }, {}), base: SIM_BASE };
}
