/** Runs that are frozen, carried to another directory and restored there, with real criu and real programs. */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCountFault, makeCounters } from '../../support/counters.js';
import { canFreeze, CHECKPOINT } from '../../support/criu.js';
import { createRunSetup, waitForText, type RecordingRunner, type RunSetup } from '../../support/run-setup.js';

const { counters, directory: programs } = makeCounters();
afterAll(() => rmSync(programs, { recursive: true, force: true }));

let bench: RunSetup;
beforeEach(() => {
  bench = createRunSetup();
});
afterEach(() => {
  expect(bench.clear(), 'processes left by the test').toEqual([]);
});

const hasLines =
  (count: number) =>
  (text: string): boolean =>
    text.split('\n').length > count;

/** What travels: what the command left, and the image. */
function carry(from: string, to: string): void {
  const names = ['work', 'stdout', 'stderr', 'image', 'carried'].filter((name) =>
    existsSync(join(bench.root, from, name)),
  );
  for (const name of names) cpSync(join(bench.root, from, name), join(bench.root, to, name), { recursive: true });
}

async function move(
  source: RecordingRunner,
  target: RecordingRunner,
  from: string,
  to: string,
  argv: readonly string[],
) {
  source.freeze(from);
  const frozen = await source.answer(from, 'RunFrozen');
  carry(from, to);
  target.start({ ...bench.order(to, argv, { migrate: 'checkpoint' }), restore: true });
  await target.answer(to, 'RunPrepared');
  target.thaw(to);
  await target.answer(to, 'RunThawed');
  source.stop(from, 0);
  await source.next(from, 'RunDied');
  return frozen;
}

describe.skipIf(!canFreeze).each(counters)('a counter in $name', ({ argv }) => {
  it('goes on elsewhere where it was frozen, and its exit code is its own', async () => {
    const command = argv(150, 7, 10_000);
    const [source, target] = [bench.runner(CHECKPOINT), bench.runner(CHECKPOINT, undefined, 'elsewhere')];
    source.start(bench.order('a', command, { migrate: 'checkpoint' }));
    await source.next('a', 'RunStarted');
    await waitForText(join(bench.root, 'a/stdout'), hasLines(20));
    const frozen = await move(source, target, 'a', 'b', command);
    expect(frozen.imageBytes).toBeGreaterThan(50_000);
    const end = await target.end('b');
    expect(end).toMatchObject({ type: 'RunExited', exitCode: 7, signal: null });
    expect(findCountFault(readFileSync(join(bench.root, 'b/stdout'), 'utf8'), 150)).toBeUndefined();
  });
});
