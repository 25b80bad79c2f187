/** Sources of settings other than files: flags and variables. Each returns a list of settings with their origins. */
import { CONFIG_KEYS, findKeyOfFlag, findKeyOfVariable, formatFlag } from './keys.js';
import type { Variables } from './defaults.js';
import { findNearestName } from './nearest-name.js';
import { createSetting, describeUnknownName, type PathRoots, type Setting } from './setting.js';

/** The flag and the variable that name the configuration file; they are not keys. */
export const FILE_FLAG = 'config';
export const FILE_VARIABLE = 'TRITMESH_CONFIG';

/**
 * Settings from flags, by flag name in kebab-case or as commander passes it. A flag that is `undefined` was not given.
 *
 * @throws ConfigError for a flag that is not a key
 */
export function readFlags(flags: Readonly<Record<string, unknown>>, roots: PathRoots): readonly Setting[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    if (value === undefined || name === FILE_FLAG) return [];
    const key = findKeyOfFlag(name);
    if (key === undefined) {
      const flag = formatFlag(name);
      throw describeUnknownName(flag, `--${flag}`, [...CONFIG_KEYS.map((one) => one.flag), FILE_FLAG]);
    }
    return [createSetting(key, value, `--${key.flag}`, roots)];
  });
}

/**
 * Settings from `TRITMESH_*` variables; an empty one counts as not given. An unknown variable is an error only if it
 * looks like a typo of a known one: Kubernetes sets TRITMESH_SERVICE_HOST and the like in every program near a service
 * of that name.
 *
 * @throws ConfigError for a variable that is almost a key
 */
export function readVariables(env: Variables, roots: PathRoots): readonly Setting[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith('TRITMESH_') || name === FILE_VARIABLE || value === undefined || value === '') return [];
    const key = findKeyOfVariable(name);
    if (key !== undefined) return [createSetting(key, value, name, roots)];
    refuseTypo(name);
    return [];
  });
}

function refuseTypo(name: string): void {
  const word = name.slice('TRITMESH_'.length);
  const known = [...CONFIG_KEYS.map(({ variable }) => variable), FILE_VARIABLE].map((one) =>
    one.slice('TRITMESH_'.length),
  );
  // Short words are near everything: TRITMESH_ITEM, which jobs get, is not a typo of TRITMESH_ID.
  if (word.length < 4 || findNearestName(word, known, Math.max(1, Math.floor(word.length / 5))) === undefined) return;
  throw describeUnknownName(
    name,
    'environment',
    known.map((one) => `TRITMESH_${one}`),
  );
}
