/**
 * Reads the plainest form of a configuration file: lines of `key: value` for the few keys that `tritmesh join` saves.
 * Any other file needs the yaml parser and is not read here.
 */

/** Keys that say where the mesh is, and as whom to connect; other keys may change what `run` does. */
const KEYS: ReadonlySet<string> = new Set(['broker', 'base', 'id', 'username', 'password_file', 'ca_file']);
/** Values that yaml reads as the very same text: nothing that is quoted, typed, escaped or a comment. */
const LINE_PATTERN = /^([a-z_]+): ([A-Za-z/][A-Za-z0-9_./@:-]*[A-Za-z0-9/]|[A-Za-z])$/;
/** Words that yaml does not read as text. */
const TYPED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** The settings by key; `undefined` if the text has any other form. */
export function readPlainSettings(text: string): ReadonlyMap<string, string> | undefined {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, key = '', value = ''] = LINE_PATTERN.exec(line) ?? [];
    if (!KEYS.has(key) || settings.has(key) || TYPED.test(value)) return undefined;
    settings.set(key, value);
  }
  return settings;
}
