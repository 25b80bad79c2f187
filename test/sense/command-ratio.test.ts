import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncScheduler, filter, firstValueFrom, interval, map } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCommandRatio } from '../../src/sense/command-ratio.js';
import type { MachineSample } from '../../src/sense/machine.js';

const look: MachineSample = {
  now: 0,
  cpus: 2,
  cpuPercent: 50,
  memoryPercent: 10,
  memoryBytes: 1e9,
  psiPercent: undefined,
  loadAverage1: 0,
  activeTasks: 0,
};

async function read(command: string, limitMs = 30_000): Promise<unknown> {
  return await firstValueFrom(createCommandRatio(command, limitMs, asyncScheduler)(look));
}

/** Waits until `isTrue`; the test's own time limit ends it. */
async function until(isTrue: () => boolean): Promise<void> {
  await firstValueFrom(interval(20).pipe(map(isTrue), filter(Boolean)));
}

describe('createCommandRatio', () => {
  it.each<[string, number]>([
    ['echo 0.5', 0.5],
    ['printf 1', 1],
    ['echo "0.25 0.1" | cut -d" " -f1', 0.25],
    ['echo warning >&2; echo 2e-1', 0.2],
  ])('%s gives a ratio', async (command, ratio) => {
    expect(await read(command)).toEqual({ ratio, cpus: 2 });
  });

  it.each<[string, string]>([
    ['echo high', 'echo high: printed "high", not a number from 0 to 1000000'],
    ['true', 'true: printed "", not a number from 0 to 1000000'],
    ['echo -1', 'echo -1: printed "-1", not a number from 0 to 1000000'],
    ['echo NaN', 'echo NaN: printed "NaN", not a number from 0 to 1000000'],
    ['echo 0.5; exit 3', 'echo 0.5; exit 3: ended with exit code 3'],
    ['kill -TERM $$', 'kill -TERM $$: was ended by SIGTERM'],
    ['yes | cat', 'yes | cat: printed more than 4096 characters'],
    ['no-such-program-here', 'no-such-program-here: is not a program that the shell finds (exit code 127)'],
  ])('%s is an error', async (command, sentence) => {
    await expect(read(command)).rejects.toThrow(sentence);
  });

  it('a command over its limit is ended with all that it started', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tritmesh-command-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'pid');
    const command = `sleep 1000 & echo $! > ${file}; wait`;
    const ratio$ = createCommandRatio(command, 60_000, asyncScheduler)(look);
    const running = ratio$.subscribe();
    await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
    const started = Number(readFileSync(file, 'utf8'));
    running.unsubscribe();
    await until(() => hasEnded(started));
    await expect(read('sleep 1000', 50)).rejects.toThrow('sleep 1000: took over 50 ms');
  });
});

/** A process that nobody waited for yet has ended as well. */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform === 'linux' && / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
