/** Validates the merged settings once, and reports the first error with its key and origin. */
import { inspect } from 'node:util';
import type { z } from 'zod';
import { hideCredentials } from './broker-url.js';
import { ConfigError } from './config-error.js';
import type { Config } from './config.js';
import { findKey } from './keys.js';
import type { Merged } from './merge-settings.js';
import { configSchema } from './schema.js';

const SHOWN_CHARS_MAX = 100;

/**
 * Turns merged settings into a valid configuration.
 *
 * @throws ConfigError for the first invalid key
 */
export function checkConfig(merged: Merged): Config {
  const parsed = configSchema.safeParse(nestValues(merged.values));
  if (parsed.success) return parsed.data;
  throw describeIssue(parsed.error.issues[0], merged);
}

function nestValues(values: ReadonlyMap<string, unknown>): object {
  const nested: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const [group = '', name] = key.split('.');
    if (name === undefined) nested[group] = value;
    else nested[group] = { ...(nested[group] as object | undefined), [name]: value };
  }
  return nested;
}

function describeIssue(issue: z.core.$ZodIssue | undefined, { values, origins }: Merged): ConfigError {
  const path = (issue?.path ?? []).map(String);
  // An error inside a list is reported for the whole list.
  const key = findKey(path.slice(0, 2).join('.')) ?? findKey(path[0] ?? '');
  const field = key?.key ?? path.join('.');
  return new ConfigError({
    field,
    value: showValue(field, values.get(field)),
    expected: issue?.message ?? 'is not valid',
    origin: origins[field] ?? 'default',
  });
}

function showValue(field: string, value: unknown): string {
  if (value === undefined || field === 'password') return '';
  const text = hideCredentials(writeValue(value));
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

/** As JSON, except for what only yaml can express, such as a list that contains itself. */
function writeValue(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return inspect(value, { breakLength: Number.POSITIVE_INFINITY });
  }
}
