/** Under which id a node goes on: what the state directory knows, what is asked for, and what the host name gives. */
import { describe, expect, it } from 'vitest';
import {
  chooseIdentity,
  countOpen,
  deduceId,
  isIdVital,
  type AskedIdentity,
  type KnownIdentity,
  type KnownWork,
} from '../../src/core/node-identity.js';
import { toRecord } from '../../src/core/owner/owned-item.js';
import type { GuestRecord } from '../../src/core/receiver/guest.js';
import { acked as held, submit } from './owner/owner-run.js';
import { need } from './samples.js';

const NOTHING: KnownWork = { items: [], guests: [] };
const HELD: KnownWork = { items: [toRecord(held().state)], guests: [] };
const KNOWN: KnownIdentity = { id: 'alpha', base: 'tritmesh', former: ['old'], fromHost: true };

function ask(change: Partial<AskedIdentity>): AskedIdentity {
  return { id: 'alpha', idOrigin: undefined, base: 'tritmesh', baseOrigin: undefined, ...change };
}

function guestOf(owner: string, item: string): GuestRecord {
  return {
    owner,
    item,
    epoch: 1,
    name: '',
    need,
    phase: 'running',
    command: null,
    leaseMs: 1,
    urls: [],
    sha256: null,
    handle: null,
    stopping: null,
    stopReason: '',
    startedAt: null,
    result: null,
    image: false,
    process: null,
    move: 0,
    refused: null,
  };
}

describe('an id', () => {
  it('is the one that is asked for where no node has run yet', () => {
    expect(chooseIdentity(ask({ id: 'omega' }), undefined, NOTHING)).toEqual({
      ok: true,
      id: 'omega',
      base: 'tritmesh',
      notes: [],
    });
  });

  it('stays when the host name gives another one, and that is said', () => {
    const choice = chooseIdentity(ask({ id: 'omega' }), KNOWN, HELD);
    expect(choice).toMatchObject({ ok: true, id: 'alpha' });
    expect(choice.ok && choice.notes.join()).toMatch(
      /node alpha's.*the host name gives omega now.*tritmesh rename omega/,
    );
  });

  it('that was chosen once is not held against the host name', () => {
    expect(chooseIdentity(ask({ id: 'omega' }), { ...KNOWN, fromHost: false }, HELD)).toMatchObject({
      ok: true,
      id: 'alpha',
      notes: [],
    });
  });

  it.each([NOTHING, HELD])('that a person asks for against it is refused, with or without work', (work) => {
    const choice = chooseIdentity(ask({ id: 'omega', idOrigin: '--id' }), KNOWN, work);
    expect(choice).toMatchObject({ ok: false });
    expect(!choice.ok && choice.reason).toMatch(/"omega" \(--id\).*node "alpha".*tritmesh rename omega.*--state-dir/);
  });

  it('that it had before it was renamed is understood, and said', () => {
    const choice = chooseIdentity(ask({ id: 'old', idOrigin: 'TRITMESH_ID' }), KNOWN, HELD);
    expect(choice).toMatchObject({ ok: true, id: 'alpha' });
    expect(choice.ok && choice.notes.join()).toContain('old (TRITMESH_ID) was renamed to alpha');
  });
});

describe('a base topic', () => {
  const other = ask({ base: 'home/mesh', baseOrigin: '--base' });

  it('is refused while there is work of the mesh below the old one', () => {
    const choice = chooseIdentity(other, KNOWN, HELD);
    expect(!choice.ok && choice.reason).toMatch(/"home\/mesh" \(--base\): 1 items of the mesh below "tritmesh"/);
  });

  it('is taken when there is none, and that is said', () => {
    const choice = chooseIdentity(other, KNOWN, NOTHING);
    expect(choice).toMatchObject({ ok: true, base: 'home/mesh' });
    expect(choice.ok && choice.notes.join()).toContain('was tritmesh and is home/mesh (--base)');
  });

  it('stays where nobody asks for another', () => {
    expect(chooseIdentity(ask({ base: 'default' }), KNOWN, HELD)).toMatchObject({ ok: true, base: 'tritmesh' });
  });
});

describe('a journal that does not say whose it is', () => {
  const births = [
    { id: 'older', boot: 1 },
    { id: 'newer', boot: 2 },
  ];

  it('is that of the owner of a guest whose item is in it too', () => {
    const work = { items: [toRecord(submit().state)], guests: [guestOf('other', 'x'), guestOf('alpha', 'j1')] };
    expect(deduceId(work, births)).toBe('alpha');
  });

  it('is that of the last birth with its key, else nobody’s', () => {
    expect(deduceId(NOTHING, births)).toBe('newer');
    expect(deduceId(NOTHING, [])).toBeUndefined();
  });

  it('must not be taken up under a guess when somebody holds an item of it, or it holds one of somebody', () => {
    expect(isIdVital(HELD)).toBe(true);
    expect(isIdVital({ items: [], guests: [guestOf('beta', 'x')] })).toBe(true);
    expect(isIdVital({ items: [toRecord(submit().state)], guests: [] })).toBe(false);
  });
});

it('work is open until it is settled, guests until they are forgotten', () => {
  const done = { ...toRecord(held().state), phase: 'done' as const };
  expect(countOpen({ items: [done, toRecord(submit().state)], guests: [guestOf('beta', 'x')] })).toBe(2);
});
