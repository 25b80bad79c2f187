/** Small files of /proc: those of this very process, and nothing of one that is not there. */
import { closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  listPids,
  readCommandLine,
  readDescriptorFlags,
  readPidsWithin,
  readProc,
  readProcLink,
  readUserIds,
} from '../../src/os/proc-files.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();
const NO_PID = 2 ** 30;

describe('the pids', () => {
  it('are the names that begin with a digit', () => {
    const directory = makeDirectory();
    for (const name of ['7', '4711', 'self', 'sys', '.']) mkdirSync(join(directory, name), { recursive: true });
    writeFileSync(join(directory, 'uptime'), '');
    expect(listPids(directory).toSorted((one, other) => one - other)).toEqual([7, 4711]);
  });

  it('cannot be told where there is no such directory', () => {
    expect(() => listPids(join(makeDirectory(), 'none'))).toThrow(/ENOENT/);
  });
});

describe.skipIf(process.platform !== 'linux')('this process', () => {
  it('is there, with its command, its program and its pids', () => {
    expect(listPids()).toContain(process.pid);
    expect(readCommandLine(process.pid)).not.toContain('');
    expect(readProcLink(process.pid, 'exe')).toBe(process.execPath);
    expect(readProc(process.pid, 'comm').trim()).not.toBe('');
    expect(readPidsWithin(process.pid)[0]).toBe(process.pid);
  });

  it('has its users', () => {
    const uid = process.getuid?.();
    expect(readUserIds(process.pid)).toEqual([uid, process.geteuid?.(), uid, uid]);
  });

  it('has files with flags', () => {
    const file = openSync(join(makeDirectory(), 'file'), 'w');
    const flags = readDescriptorFlags('self', file) ?? 0;
    expect(flags & 0o3).toBe(constants.O_WRONLY);
    expect(readDescriptorFlags(process.pid, String(file))).toBe(flags);
    closeSync(file);
    expect(readDescriptorFlags('self', file)).toBeUndefined();
  });
});

it('tells nothing of a process that is not there', () => {
  expect(readProc(NO_PID, 'status')).toBe('');
  expect(readProcLink(NO_PID, 'cwd')).toBe('');
  expect(readPidsWithin(NO_PID)).toEqual([]);
  expect(readUserIds(NO_PID)).toEqual([]);
  expect(readDescriptorFlags(NO_PID, 0)).toBeUndefined();
});
