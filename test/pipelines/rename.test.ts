/** The wish for another id: who may have it, how long it stands, and when the node goes. */
import { describe, expect, it } from 'vitest';
import type { OwnedItem } from '../../src/core/owner/owned-item.js';
import type { Guest } from '../../src/core/receiver/guest.js';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import { createRenaming, type RenameParts, type Renaming } from '../../src/pipelines/rename.js';
import { acked as held } from '../core/owner/owner-run.js';
import { running as guestRunning } from '../core/receiver/receiver-run.js';
import { createMember, createView } from '../core/samples.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

interface Bench {
  readonly renaming: Renaming;
  readonly clock: ManualClock;
  readonly items: Map<string, OwnedItem>;
  readonly guests: Map<string, Guest>;
  /** Inputs that it gave, all but the wish itself, which it is fed at once. */
  readonly pushed: NodeInput[];
  readonly left: string[];
  busy: boolean;
}

function lay(change: Partial<RenameParts> = {}): Bench {
  const clock = createManualClock();
  const items = new Map<string, OwnedItem>();
  const guests = new Map<string, Guest>();
  const pushed: NodeInput[] = [];
  const left: string[] = [];
  const bench: Bench = {
    clock,
    items,
    guests,
    pushed,
    left,
    busy: false,
    renaming: createRenaming({
      self: 'alpha',
      key: 'k',
      clock,
      view: createView(createMember('alpha'), createMember('gamma')),
      items,
      guests,
      isFixed: false,
      isBusy: () => bench.busy,
      push: (input) => {
        pushed.push(input);
        bench.renaming.take(input);
      },
      leave: (to) => left.push(to),
      ...change,
    }),
  };
  return bench;
}

const wish = { verb: 'rename', to: 'omega', value: 'ON' } as const;

describe('a wish for another id', () => {
  it('is the node’s own alone', () => {
    const { renaming, pushed } = lay();
    for (const signer of [undefined, 'gamma']) {
      expect(renaming.answer(wish, signer)).toEqual({
        error: 'only alpha itself may ask for it: run "tritmesh rename omega" there',
      });
    }
    expect(pushed).toEqual([]);
  });

  it('is refused for an id that is taken, and by a node that nobody would start again', () => {
    expect(lay().renaming.answer({ ...wish, to: 'gamma' }, 'alpha')).toMatchObject({
      error: expect.stringContaining('taken') as string,
    });
    expect(lay({ isFixed: true }).renaming.answer(wish, 'alpha')).toMatchObject({
      error: expect.stringContaining('within another program') as string,
    });
  });

  it('tells what is left, sends guests of others away, and lets the node go once all is over and said', () => {
    const bench = lay();
    const { guest } = guestRunning({ migrate: 'restart' });
    if (guest === null) throw new Error('there is a guest');
    bench.items.set('j1', held().state);
    bench.guests.set('omega/g1/1', { ...guest, owner: 'delta', item: 'g1' });
    expect(bench.renaming.answer(wish, 'alpha')).toMatchObject({
      data: { to: 'omega', waits_count: 2, waits: [{ item: 'j1' }, { item: 'delta/g1' }] },
    });
    expect(bench.renaming.wanted).toBe('omega');
    expect(bench.pushed.filter((one) => one.type === 'GuestFact')).toEqual([
      {
        type: 'GuestFact',
        guest: 'omega/g1/1',
        fact: { type: 'VacateWanted', reason: 'alpha is being renamed to omega' },
      },
    ]);
    bench.renaming.look();
    bench.items.clear();
    bench.renaming.look();
    bench.guests.clear();
    bench.busy = true;
    bench.renaming.look();
    expect(bench.left).toEqual([]);
    bench.busy = false;
    bench.renaming.look();
    bench.renaming.look();
    expect(bench.left).toEqual(['omega']);
  });

  it('is forgotten when it is not said again for 15 s', () => {
    const { renaming, clock, left } = lay();
    renaming.answer(wish, 'alpha');
    clock.pass(14_000);
    renaming.answer(wish, 'alpha');
    clock.pass(14_000);
    expect(renaming.wanted).toBe('omega');
    clock.pass(2000);
    expect(renaming.wanted).toBeUndefined();
    renaming.look();
    expect(left).toEqual([]);
  });

  it('is taken back', () => {
    const { renaming, left } = lay();
    renaming.answer(wish, 'alpha');
    expect(renaming.answer({ ...wish, value: 'OFF' }, 'alpha')).toMatchObject({ data: { to: 'alpha' } });
    expect(renaming.wanted).toBeUndefined();
    renaming.look();
    expect(left).toEqual([]);
  });
});
