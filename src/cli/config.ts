/** `tritmesh config`: what is in force, and where each value came from. No password is shown. */
import type { Config } from '../config/config.js';
import { CONFIG_KEYS } from '../config/keys.js';
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import { renderTable } from './render/table.js';

export async function showConfig(context: Context): Promise<number> {
  const entries = CONFIG_KEYS.map(({ key, flag, variable }) => ({
    key,
    value: key === 'password' ? hidePassword(context.config) : readKey(context.config, key),
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

function readKey(config: Config, key: string): unknown {
  let value: unknown = config;
  for (const name of key.split('.')) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
  return value;
}

function formatValue(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
