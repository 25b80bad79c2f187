/** The id of a node: from its state directory, its configuration and its host name. */
import { describe, expect, it } from 'vitest';
import {
  chooseIdentity,
  countOpen,
  deduceId,
  isIdVital,
  type AskedIdentity,
  type KnownIdentity,
  type KnownWork,
} from '../../../src/core/identity/choose-identity.js';
import { toRecord } from '../../../src/core/owner/owned-item.js';
import type { GuestRecord } from '../../../src/core/receiver/guest.js';
import { acked as held, submit } from '../owner/owner-run.js';
import { need } from '../../support/samples.js';

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
  it('is the configured one if no node has run yet', () => {
    expect(chooseIdentity(ask({ id: 'omega' }), undefined, NOTHING)).toEqual({
      ok: true,
      id: 'omega',
      base: 'tritmesh',
      notes: [],
    });
  });

  it('stays if the host name gives another one, with a note', () => {
    const choice = chooseIdentity(ask({ id: 'omega' }), KNOWN, HELD);
    expect(choice).toMatchObject({ ok: true, id: 'alpha' });
    expect(choice.ok && choice.notes.join()).toMatch(
      /node alpha and keeps that id.*the host name gives omega now.*tritmesh rename omega/,
    );
  });

  it('that a person once chose needs no note about the host name', () => {
    expect(chooseIdentity(ask({ id: 'omega' }), { ...KNOWN, fromHost: false }, HELD)).toMatchObject({
      ok: true,
      id: 'alpha',
      notes: [],
    });
  });

  it.each([NOTHING, HELD])('that contradicts the state directory is refused, with or without work', (work) => {
    const choice = chooseIdentity(ask({ id: 'omega', idOrigin: '--id' }), KNOWN, work);
    expect(choice).toMatchObject({ ok: false });
    expect(!choice.ok && choice.reason).toMatch(/"omega" \(--id\).*node "alpha".*tritmesh rename omega.*--state-dir/);
  });

  it('from before a rename is understood, with a note', () => {
    const choice = chooseIdentity(ask({ id: 'old', idOrigin: 'TRITMESH_ID' }), KNOWN, HELD);
    expect(choice).toMatchObject({ ok: true, id: 'alpha' });
    expect(choice.ok && choice.notes.join()).toContain('old (TRITMESH_ID) was renamed to alpha');
  });
});

describe('a base topic', () => {
  const other = ask({ base: 'home/mesh', baseOrigin: '--base' });

  it('is refused while there is work of the mesh below the old base', () => {
    const choice = chooseIdentity(other, KNOWN, HELD);
    expect(!choice.ok && choice.reason).toMatch(/"home\/mesh" \(--base\): 1 items of the mesh below "tritmesh"/);
  });

  it('is accepted if there is none, with a note', () => {
    const choice = chooseIdentity(other, KNOWN, NOTHING);
    expect(choice).toMatchObject({ ok: true, base: 'home/mesh' });
    expect(choice.ok && choice.notes.join()).toContain('was tritmesh and is home/mesh (--base)');
  });

  it('stays if none is configured', () => {
    expect(chooseIdentity(ask({ base: 'default' }), KNOWN, HELD)).toMatchObject({ ok: true, base: 'tritmesh' });
  });
});

describe('a journal that does not record its node', () => {
  const births = [
    { id: 'older', boot: 1 },
    { id: 'newer', boot: 2 },
  ];

  it('belongs to the owner of a guest whose item it contains, too', () => {
    const work = { items: [toRecord(submit().state)], guests: [guestOf('other', 'x'), guestOf('alpha', 'j1')] };
    expect(deduceId(work, births)).toBe('alpha');
  });

  it('belongs to the last birth message with its key, else to nobody', () => {
    expect(deduceId(NOTHING, births)).toBe('newer');
    expect(deduceId(NOTHING, [])).toBeUndefined();
  });

  it('must not be used under a guessed id if another node holds an item of it, or it holds one of another node', () => {
    expect(isIdVital(HELD)).toBe(true);
    expect(isIdVital({ items: [], guests: [guestOf('beta', 'x')] })).toBe(true);
    expect(isIdVital({ items: [toRecord(submit().state)], guests: [] })).toBe(false);
  });
});

it('items are open until they are settled, guests until they are forgotten', () => {
  const done = { ...toRecord(held().state), phase: 'done' as const };
  expect(countOpen({ items: [done, toRecord(submit().state)], guests: [guestOf('beta', 'x')] })).toBe(2);
});
