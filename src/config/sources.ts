/** Where settings come from beside files: flags and variables. Each gives a list of settings with their origins. */
import { CONFIG_KEYS, findKeyOfFlag, findKeyOfVariable, formatFlag } from './keys.js';
import type { Variables } from './defaults.js';
import { findNearestName } from './nearest-name.js';
import { createSetting, describeUnknown, type Places, type Setting } from './setting.js';

/** The flag and the variable that name the configuration file; no keys themselves. */
export const FILE_FLAG = 'config';
export const FILE_VARIABLE = 'TRITMESH_CONFIG';

/**
 * Settings of flags, by flag name in kebab-case or as commander gives it. One that is `undefined` was not given.
 *
 * @throws ConfigError for a flag that is no key
 */
export function readFlags(flags: Readonly<Record<string, unknown>>, places: Places): readonly Setting[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || name === FILE_FLAG) return [];
    const key = findKeyOfFlag(name);
    if (key === undefined) {
      const flag = formatFlag(name);
      throw describeUnknown(flag, `--${flag}`, [...CONFIG_KEYS.map((one) => one.flag), FILE_FLAG]);
    }
    return [createSetting(key, value, `--${key.flag}`, places)];
  });
}

/**
 * Settings of `TRITMESH_*` variables; an empty one was not given. An unknown variable is an error only when it looks like
 * a slip of a known one: a cluster puts TRITMESH_SERVICE_HOST and the like into every program near a service of that name.
 *
 * @throws ConfigError for a variable that is nearly a key
 */
export function readVariables(env: Variables, places: Places): readonly Setting[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith('TRITMESH_') || name === FILE_VARIABLE || value === undefined || value === '') return [];
    const key = findKeyOfVariable(name);
    if (key !== undefined) return [createSetting(key, value, name, places)];
    refuseSlip(name);
    return [];
  });
}

function refuseSlip(name: string): void {
  const word = name.slice('TRITMESH_'.length);
  const known = [...CONFIG_KEYS.map(({ variable }) => variable), FILE_VARIABLE].map((one) =>
    one.slice('TRITMESH_'.length),
  );
  // Short words are near to everything: TRITMESH_ITEM, which jobs get, is no slip of TRITMESH_ID.
  if (word.length < 4 || findNearestName(word, known, Math.max(1, Math.floor(word.length / 5))) === undefined) return;
  throw describeUnknown(
    name,
    'environment',
    known.map((one) => `TRITMESH_${one}`),
  );
}
