/** What `ps` says of processes. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { askPs } from '../../src/os/ask-ps.js';
import { requirement } from '../support/requirements.js';

const hasPs = requirement('ps', spawnSync('ps', ['-p', '1']).error === undefined, 'apt-get install procps');

describe.skipIf(!hasPs)('ps', () => {
  it('tells of a process', () => {
    expect(Number(askPs('-o', 'ppid=', '-p', String(process.pid)))).toBe(process.ppid);
  });

  it('says nothing of one that is not there, and where it does not know what is asked', () => {
    expect(askPs('-o', 'ppid=', '-p', '99999999').trim()).toBe('');
    expect(askPs('--no-such-option')).toBe('');
  });
});
