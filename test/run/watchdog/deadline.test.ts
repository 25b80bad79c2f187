/** What the node gives a watchdog: in files of a directory of its own, on a clock moved by hand. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFileDeadlines, followDeadline, type Deadline } from '../../../src/run/watchdog/deadline.js';
import { padReserved } from '../../../src/run/directory/reserved-files.js';

const LEASE_MS = 60_000;

let directory: string;
let nowMs: number;
const doubted = vi.fn();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tritmesh-deadline-'));
  nowMs = 1000;
  doubted.mockReset();
  writeFileSync(join(directory, 'deadline'), padReserved(''));
  writeFileSync(join(directory, 'doubt'), padReserved(''));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const follow = (knownMs: number | undefined): Deadline =>
  followDeadline(createFileDeadlines(directory), { now: () => nowMs }, knownMs, doubted);

function doubt(number: number): void {
  writeFileSync(join(directory, 'doubt'), padReserved(String(number)));
}

/** What is left, in hundredths of a second, and the doubt that it answers; `undefined` before anything was given. */
function given(): { readonly left: number; readonly doubt: number } | undefined {
  const [, left, answers] = readFileSync(join(directory, 'deadline'), 'latin1').trim().split(' ');
  return left === undefined ? undefined : { left: Number(left), doubt: Number(answers) };
}

function lookOften(deadline: Deadline): void {
  for (let look = 0; look < 10; look += 1) deadline.look();
}

describe('a watchdog', () => {
  it('is in doubt until what it is given names that doubt', () => {
    const deadline = follow(LEASE_MS);
    expect(deadline.isDoubted()).toBe(false);
    doubt(1);
    expect(deadline.isDoubted()).toBe(true);
    deadline.extend(LEASE_MS);
    expect(deadline.isDoubted()).toBe(false);
    doubt(2);
    expect(deadline.isDoubted()).toBe(true);
  });
});

describe('a deadline', () => {
  it('is written at the next look, and at once when the old one is near', () => {
    const deadline = follow(LEASE_MS);
    nowMs += 1000;
    deadline.extend(LEASE_MS);
    expect(given()).toBeUndefined();
    deadline.look();
    expect(given()).toEqual({ left: 6000, doubt: 0 });
    nowMs += LEASE_MS - 500;
    deadline.extend(LEASE_MS);
    expect(given()).toEqual({ left: 6000, doubt: 0 });
  });

  it('tells what is left when it is written, not when it was given', () => {
    const deadline = follow(LEASE_MS);
    deadline.extend(LEASE_MS + 10_000);
    nowMs += 3000;
    deadline.look();
    expect(given()).toEqual({ left: 6700, doubt: 0 });
  });

  it('an earlier end changes nothing', () => {
    const deadline = follow(LEASE_MS);
    deadline.extend(1000);
    lookOften(deadline);
    expect(given()).toBeUndefined();
  });
});

describe('a doubt', () => {
  it('is told once, and what was given before is no answer to it', () => {
    const deadline = follow(LEASE_MS);
    deadline.extend(2 * LEASE_MS);
    doubt(1);
    lookOften(deadline);
    expect(doubted).toHaveBeenCalledTimes(1);
    expect(given()?.doubt).not.toBe(1);
  });

  it('is answered by what is given after it was told', () => {
    const deadline = follow(LEASE_MS);
    doubt(1);
    lookOften(deadline);
    // Less than was given before the doubt.
    nowMs += 100;
    deadline.extend(30_000);
    expect(given()).toEqual({ left: 3000, doubt: 1 });
  });

  it('that nobody looked for is found by what comes to be given, which is older than it', () => {
    const deadline = follow(LEASE_MS);
    doubt(1);
    deadline.extend(2 * LEASE_MS);
    expect(doubted).toHaveBeenCalledTimes(1);
    lookOften(deadline);
    expect(given()).toBeUndefined();
    deadline.extend(LEASE_MS);
    expect(given()).toEqual({ left: 6000, doubt: 1 });
    expect(doubted).toHaveBeenCalledTimes(1);
  });

  it('after a doubt is told as well', () => {
    const deadline = follow(LEASE_MS);
    doubt(1);
    lookOften(deadline);
    deadline.extend(LEASE_MS);
    doubt(2);
    lookOften(deadline);
    expect(doubted).toHaveBeenCalledTimes(2);
    expect(given()).toEqual({ left: 6000, doubt: 1 });
    deadline.extend(LEASE_MS);
    expect(given()).toEqual({ left: 6000, doubt: 2 });
  });

  it('of an earlier life of the node is told to this one', () => {
    doubt(3);
    const deadline = follow(undefined);
    lookOften(deadline);
    expect(doubted).toHaveBeenCalledTimes(1);
    deadline.extend(LEASE_MS);
    expect(given()).toEqual({ left: 6000, doubt: 3 });
  });

  it('whose number cannot be read for a moment is neither new nor over', () => {
    const deadline = follow(LEASE_MS);
    doubt(1);
    lookOften(deadline);
    rmSync(join(directory, 'doubt'));
    mkdirSync(join(directory, 'doubt'));
    lookOften(deadline);
    deadline.extend(LEASE_MS);
    expect(given()).toEqual({ left: 6000, doubt: 1 });
    expect(doubted).toHaveBeenCalledTimes(1);
  });
});
