/**
 * What versions up to ee66259 started a job with: a shell, the launcher, with the watchdog in it. Its text is a fixture;
 * the part that measures time is that of the watchdog of containers, which is still in use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { padReserved } from '../../src/run/directory/reserved-files.js';
import { WATCHDOG_TIME } from '../../src/run/watchdog/watchdog-time.js';

const FIXTURE = fileURLToPath(new URL('../fixtures/launcher-ee66259.sh', import.meta.url));

/** Program text for `sh -c`. */
export const LAUNCHER: string = `\n${readFileSync(FIXTURE, 'utf8').replace('@WATCHDOG_TIME@', () => WATCHDOG_TIME)}`;

/** What such a version wrote into the file `order`. Times in hundredths of a second. */
export interface LegacyOrder {
  readonly handle: { readonly pid: number; readonly start: string };
  readonly limit: number;
  readonly lease: number;
  readonly argv: readonly string[];
  readonly path: string;
}

/** Formats the file `order`. */
export function formatLegacyOrder({ handle, limit, lease, argv, path }: LegacyOrder): string {
  const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  return [
    `launcher=${quote(`${handle.pid} ${handle.start}`)}`,
    `limit=${limit}`,
    `lease=${lease}`,
    'at=0',
    "input='/dev/null'",
    "fault=''",
    'fault_code=0',
    `set -- ${argv.map(quote).join(' ')}`,
    'begin() {',
    `export PATH=${quote(path)}`,
    'exec "$@"',
    '}',
    'box=',
    '',
  ].join('\n');
}

/** Creates the files that such a version reserved in a run directory. */
export function reserveLegacyFiles(directory: string): void {
  for (const name of ['deadline', 'doubt']) writeFileSync(join(directory, name), padReserved(''));
  writeFileSync(join(directory, 'exit'), '\n'.repeat(200));
}
