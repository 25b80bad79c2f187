/** The kernel's line on a process: parsed whatever the name holds, and nothing where there is none. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasEnded, parseProcStat, readProcStat, tryReadProcStat, type ProcStat } from '../../src/os/proc-stat.js';

const isLinux = process.platform === 'linux';
const NO_PID = 2 ** 30;

/** As the kernel writes it; the fields that nobody reads are 0, up to the 52nd. */
function writeLine({ pid, name, state, parent, group, session, tty, startTicks, residentPages }: ProcStat): string {
  const head = `${pid} (${name}) ${state} ${parent} ${group} ${session} ${tty} -1 4194304 0 0 0 0`;
  return `${head} 100 20 3 4 20 0 1 0 ${startTicks} 9 ${residentPages} ${'0 '.repeat(27)}0\n`;
}

const STAT: ProcStat = {
  pid: 17,
  name: 'program',
  state: 'S',
  parent: 1,
  group: 16,
  session: 15,
  tty: 34_816,
  isKernel: false,
  ownTicks: 120,
  childTicks: 7,
  startTicks: '98765',
  residentPages: 250,
};

describe('a line', () => {
  it('gives all that a caller needs', () => {
    expect(parseProcStat(writeLine(STAT))).toEqual(STAT);
  });

  it.each(['a b) (c', 'a) R 1 (b', ')', '(', ') ', '', 'two\nlines ü', '17 (x) Z 1'])(
    'may have the name %j',
    (name) => {
      expect(parseProcStat(writeLine({ ...STAT, name }))).toEqual({ ...STAT, name });
    },
  );

  it('may have any name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 15 }), (name) => {
        expect(parseProcStat(writeLine({ ...STAT, name }))).toEqual({ ...STAT, name });
      }),
    );
  });

  it.each([
    [0x0020_0000, true],
    [0xffff_ffff, true],
    [0xffdf_ffff, false],
    [4_194_304, false],
  ])('with the flags %i is a thread of the kernel: %s', (flags, isKernel) => {
    const line = writeLine(STAT).replace(' -1 4194304 ', ` -1 ${flags} `);
    expect(parseProcStat(line)?.isKernel).toBe(isKernel);
  });

  it.each(['', 'garbage', '17', '17 (short) S 1', ') 17 (', 'x (name) S 1 1 1'])(
    'that is none gives nothing: %j',
    (line) => {
      expect(parseProcStat(line)).toBeUndefined();
    },
  );

  it('that was cut before its last number that counts gives nothing', () => {
    const line = writeLine(STAT);
    const needed = line.indexOf(' 250') + 1;
    for (let length = 0; length < needed; length += 1) expect(parseProcStat(line.slice(0, length))).toBeUndefined();
    expect(parseProcStat(line.slice(0, needed + 3))).toEqual(STAT);
  });
});

describe('a process', () => {
  it.each([
    ['R', false],
    ['T', false],
    ['Z', true],
    ['X', true],
  ])('in the state %s has ended: %s', (state, ended) => {
    expect(hasEnded({ state })).toBe(ended);
  });

  it.skipIf(!isLinux)('that lives is read, and told by its start from every other', () => {
    const own = readProcStat(process.pid);
    expect(own).toMatchObject({ pid: process.pid, parent: process.ppid, isKernel: false });
    expect(own?.startTicks).toMatch(/^\d+$/);
    expect(tryReadProcStat(process.pid)?.startTicks).toBe(own?.startTicks);
    expect(readFileSync('/proc/self/comm', 'utf8')).toBe(`${own?.name}\n`);
  });

  it('that is not there is none', () => {
    expect(readProcStat(NO_PID)).toBeUndefined();
    expect(tryReadProcStat(NO_PID)).toBeUndefined();
  });

  it.skipIf(!isLinux)('that has ended and was fetched is none', async () => {
    const child = spawn('true', { stdio: 'ignore' });
    await once(child, 'exit');
    expect(readProcStat(child.pid ?? 0)).toBeUndefined();
  });
});
