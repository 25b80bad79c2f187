/** Runs that cannot start, and where the reason is said to be. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StartFrame } from '../../src/run/supervisor/frames.js';
import { until, type SupervisorSuite } from '../support/supervised.js';

interface Fault {
  readonly what: string;
  readonly said: string;
  /** Prepares DIRECTORY and its `work`; the frame's part that matters. */
  prepare(directory: string): Partial<StartFrame>;
}

const FAULTS: readonly Fault[] = [
  { what: 'a program that is not there', said: 'exec ENOENT', prepare: () => ({ argv: ['/nonexistent/program'] }) },
  { what: 'a program in no PATH', said: 'exec ENOENT', prepare: () => ({ argv: ['tritmesh-no-such-program'] }) },
  { what: 'an empty program', said: 'exec ENOENT', prepare: () => ({ argv: [''] }) },
  {
    what: 'a file that is not executable',
    said: 'exec EACCES',
    prepare: (directory) => {
      writeFileSync(join(directory, 'work/text'), 'echo no\n', { mode: 0o644 });
      return { argv: ['./text'] };
    },
  },
  {
    what: 'a script whose interpreter is not there',
    said: 'exec ENOENT',
    prepare: (directory) => {
      writeFileSync(join(directory, 'work/text'), '#!/nonexistent\n', { mode: 0o755 });
      return { argv: ['./text'] };
    },
  },
  { what: 'too long an argument', said: 'exec E2BIG', prepare: () => ({ argv: ['true', 'x'.repeat(200_000)] }) },
  {
    what: 'no working directory',
    said: 'cwd ENOENT',
    prepare: (directory) => {
      rmSync(join(directory, 'work'), { recursive: true });
      return { stdin: 'input' };
    },
  },
  {
    what: 'no directory at all',
    said: 'cwd ENOENT',
    prepare: (directory) => {
      rmSync(directory, { recursive: true });
      return {};
    },
  },
  {
    what: 'a file as its working directory',
    said: 'cwd ENOTDIR',
    prepare: (directory) => {
      rmSync(join(directory, 'work'), { recursive: true });
      writeFileSync(join(directory, 'work'), '');
      return {};
    },
  },
  { what: 'no input file', said: 'stdin ENOENT', prepare: () => ({ stdin: '../missing' }) },
  {
    what: 'a pipe without a writer as its input',
    said: 'stdin EINVAL',
    prepare: (directory) => {
      execFileSync('mkfifo', [join(directory, 'work/pipe')]);
      return { stdin: 'pipe' };
    },
  },
  {
    what: 'a directory as its input',
    said: 'stdin EINVAL',
    prepare: (directory) => ({ stdin: directory }),
  },
  {
    what: 'a directory in place of its output',
    said: 'stdout EISDIR',
    prepare: (directory) => {
      mkdirSync(join(directory, 'stdout'));
      return {};
    },
  },
  {
    what: 'a directory in place of its errors',
    said: 'stderr EISDIR',
    prepare: (directory) => {
      mkdirSync(join(directory, 'stderr'));
      return {};
    },
  },
];

/** Tests the reasons why a run does not start. */
export function testStartFaults({ open }: SupervisorSuite): void {
  describe('a run does not start', () => {
    it('for any of these reasons, and the next one does', async () => {
      const { start, place, reported } = await open();
      const found: string[] = [];
      for (const [number, { what, prepare }] of FAULTS.entries()) {
        const directory = join(place, `fault-${number}`);
        mkdirSync(join(directory, 'work'), { recursive: true });
        const job = start({ directory, ...prepare(directory) });
        found.push(`${what}: ${await job.failed()}`);
        expect(job.record()?.end).toBeUndefined();
      }
      expect(found).toEqual(FAULTS.map(({ what, said }) => `${what}: ${said}`));
      const next = start('exit 5');
      expect((await next.ended()).code).toBe(5);
      // A slot is free again once the run has failed.
      expect(next.record()?.slot).toBe(0);
      await until(() => reported.some(({ word }) => word === 'end'));
      expect(reported.filter(({ word }) => word === 'start')).toHaveLength(1);
    });
  });
}
