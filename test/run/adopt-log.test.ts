/** What a later boot makes of the log of a supervisor that is dead, line by line. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBootId } from '../../src/os/boot-id.js';
import type { RunEvent } from '../../src/run/runner.js';
import { formatLine, type SupervisorLine } from '../../src/run/supervisor/lines.js';
import { createRunSetup, type RunSetup } from '../support/run-setup.js';

let bench: RunSetup;
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

const HERE = readBootId().slice(0, 8);
/** No process has this start time. */
const first = (boot: string): SupervisorLine => ({
  word: 'supervisor',
  kind: 'node',
  handle: { pid: 2 ** 22 + 1, start: `1@${boot}` },
});

/** Writes the log of a supervisor that began a run and logged more about it; adopts the run. */
async function adoptAfter(lines: readonly SupervisorLine[], boot = HERE, begins = true): Promise<RunEvent> {
  const directory = join(bench.root, 'a');
  const place = join(bench.root, 'supervisors', '7');
  for (const one of [join(directory, 'work'), place]) mkdirSync(one, { recursive: true });
  const rest = { id: 1, slot: 0, at: 5, limitMs: Infinity, mode: 'plain', directory } as const;
  const all: SupervisorLine[] = [first(boot), ...(begins ? [{ word: 'begin', ...rest } as const] : []), ...lines];
  writeFileSync(join(place, 'log'), `${all.map(formatLine).join('')}\n\n`);
  const runner = bench.runner();
  runner.adopt('a', directory, null);
  return runner.end('a');
}

describe('a run in the log of a supervisor that is dead', () => {
  it('was never started when the log does not have it', async () => {
    const elsewhere: SupervisorLine = {
      word: 'begin',
      id: 2,
      slot: 0,
      at: 5,
      limitMs: Infinity,
      mode: 'plain',
      directory: bench.root,
    };
    expect(await adoptAfter([elsewhere], HERE, false)).toMatchObject({ type: 'RunFailed' });
  });

  it('died, and did not fail, when it was begun: it may have run', async () => {
    expect(await adoptAfter([])).toMatchObject({ type: 'RunDied', reason: 'its supervisor ended as it started it' });
  });

  it('died when the machine was started since and the log does not have it: its last lines may be lost', async () => {
    const elsewhere = {
      word: 'begin',
      id: 2,
      slot: 0,
      at: 5,
      limitMs: 9,
      mode: 'plain',
      directory: bench.root,
    } as const;
    expect(await adoptAfter([elsewhere], '00000000', false)).toMatchObject({
      type: 'RunDied',
      reason: 'the machine was restarted',
    });
  });

  it('has the exit code that was logged', async () => {
    const end = { code: 6, signal: 0, cpuMs: 250, ranMs: 1234 };
    const start = { word: 'start', id: 1, handle: { pid: 2 ** 22 + 2, start: `1@${HERE}` } } as const;
    expect(await adoptAfter([start, { word: 'end', id: 1, end }])).toMatchObject({
      type: 'RunExited',
      exitCode: 6,
      signal: null,
      cpuS: 0.25,
      runMs: 1234,
    });
  });

  it('has the reason of its supervisor when that ended it', async () => {
    const start = { word: 'start', id: 1, handle: { pid: 2 ** 22 + 2, start: `1@${HERE}` } } as const;
    const stop = { word: 'stop', id: 1, reason: 'watchdog: lease ended' } as const;
    const end = { word: 'end', id: 1, end: { code: 137, signal: 9, cpuMs: 0, ranMs: 5 } } as const;
    expect(await adoptAfter([start, stop, end])).toMatchObject({ type: 'RunDied', reason: 'watchdog: lease ended' });
  });

  it('ended with 127 and a sentence when its program was not there', async () => {
    const fail = { word: 'fail', id: 1, step: 'exec', error: 'ENOENT' } as const;
    expect(await adoptAfter([fail])).toMatchObject({ type: 'RunExited', exitCode: 127 });
    expect(readFileSync(join(bench.root, 'a/stderr'), 'utf8')).toContain('ENOENT');
  });

  it('failed when this machine could not start it', async () => {
    const fail = { word: 'fail', id: 1, step: 'fork', error: 'EAGAIN' } as const;
    expect(await adoptAfter([fail])).toMatchObject({ type: 'RunFailed' });
  });
});
