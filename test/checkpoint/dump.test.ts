/** A dump that fails before criu is even called: an image of an earlier dump is not left behind. */
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/checkpoint/checkpoint.js';
import { dumpProcess } from '../../src/checkpoint/dump.js';
import { readImageFacts } from '../../src/checkpoint/image-facts.js';

const USABLE: Capabilities = { usable: true, reason: '', criu: '/bin/false', version: '4.2', abilities: ['criu'] };
const UNUSABLE: Capabilities = { ...USABLE, usable: false, reason: 'criu needs root' };
const NO_PID = 2 ** 22;

let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-dump-')));
  const facts = {
    v: 1,
    name: 'job',
    root: 1000,
    pids: [1000],
    shell_job: false,
    known_as: directory,
    exe: '/bin/sh',
    mapped: [],
    cwd: '/',
    files: [],
    image_bytes: 1,
    cpu_s: 0,
    wall_ms: 0,
    criu: '4.2',
  };
  for (const name of ['image', 'carried']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'image/facts.json'), JSON.stringify(facts));
  writeFileSync(join(directory, 'carried/file'), '');
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }));

describe('a dump into a directory with the image of an earlier one', () => {
  it.each([
    ['where criu cannot be used', UNUSABLE, 'criu needs root'],
    ['of a process that cannot be frozen', USABLE, 'there is no such process'],
  ])('%s leaves no image', async (_title, capabilities, reason) => {
    expect(readImageFacts(directory)).not.toBe(null);
    const subject = { pid: NO_PID, init: null, directory, knownAs: null };
    expect(await dumpProcess(subject, { cpuS: 0, wallMs: 0 }, capabilities)).toEqual({ ok: false, reason });
    expect(readImageFacts(directory)).toBe(null);
    expect(['image', 'carried'].filter((name) => existsSync(join(directory, name)))).toEqual([]);
  });

  it('says so when that image cannot be removed', async () => {
    // A directory of this name cannot be removed as a file.
    rmSync(join(directory, 'image/facts.json'));
    mkdirSync(join(directory, 'image/facts.json'));
    const subject = { pid: NO_PID, init: null, directory, knownAs: null };
    expect(await dumpProcess(subject, { cpuS: 0, wallMs: 0 }, UNUSABLE)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^the image in .* could not be removed: /),
    });
  });
});
