/** `tritmesh config`: shows the configuration in force and where each value came from. It never shows a password. */
import type { Config } from '../../config/config.js';
import { CONFIG_KEYS } from '../../config/keys.js';
import { readDotted } from '../../config/merge-settings.js';
import { printJson, type Context } from '../context.js';
import { EXIT } from '../failure.js';
import { renderTable } from '../render/table.js';

export async function showConfig(context: Context): Promise<number> {
  const entries = CONFIG_KEYS.map(({ key, flag, variable }) => ({
    key,
    value: key === 'password' ? hidePassword(context.config) : readDotted(context.config, key),
    origin: context.origins[key] ?? 'not set',
    flag: `--${flag}`,
    variable,
  }));
  if (context.json) printJson(context, entries);
  else {
    const rows = entries.map(({ key, value, origin }) => [key, formatValue(value), origin]);
    const columns = [{ head: 'key' }, { head: 'value' }, { head: 'from' }];
    context.print(`${renderTable(columns, rows, context.width)}\n`);
  }
  return EXIT.done;
}

function hidePassword({ password }: Config): string | undefined {
  return password === undefined ? undefined : '(hidden)';
}

function formatValue(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
