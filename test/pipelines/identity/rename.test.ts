/** Requests for another id: who may send one, how long it stands, and when the node leaves. */
import { describe, expect, it } from 'vitest';
import type { OwnedItem } from '../../../src/core/owner/owned-item.js';
import type { Guest } from '../../../src/core/receiver/guest.js';
import type { NodeInput } from '../../../src/pipelines/inputs.js';
import { createRename, type RenameDeps, type Rename } from '../../../src/pipelines/identity/rename.js';
import { acked as held } from '../../core/owner/owner-run.js';
import { running as guestRunning } from '../../core/receiver/receiver-run.js';
import { createMember, createTable } from '../../support/samples.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

interface Setup {
  readonly renaming: Rename;
  readonly clock: ManualClock;
  readonly items: Map<string, OwnedItem>;
  readonly guests: Map<string, Guest>;
  /** Inputs that it pushed; each is also fed back at once. */
  readonly pushed: NodeInput[];
  readonly left: string[];
  busy: boolean;
}

function createSetup(change: Partial<RenameDeps> = {}): Setup {
  const clock = createManualClock();
  const items = new Map<string, OwnedItem>();
  const guests = new Map<string, Guest>();
  const pushed: NodeInput[] = [];
  const left: string[] = [];
  const setup: Setup = {
    clock,
    items,
    guests,
    pushed,
    left,
    busy: false,
    renaming: createRename({
      self: 'alpha',
      key: 'k',
      clock,
      members: createTable(createMember('alpha'), createMember('gamma')),
      items,
      guests,
      isFixed: false,
      isBusy: () => setup.busy,
      push: (input) => {
        pushed.push(input);
        setup.renaming.handle(input);
      },
      leave: (to) => left.push(to),
      ...change,
    }),
  };
  return setup;
}

const request = { verb: 'rename', to: 'omega', value: 'ON' } as const;

describe('a rename request', () => {
  it('is accepted from the node itself only', () => {
    const { renaming, pushed } = createSetup();
    for (const signer of [undefined, 'gamma']) {
      expect(renaming.answer(request, signer)).toEqual({
        error: 'only alpha itself may request this: run "tritmesh rename omega" there',
      });
    }
    expect(pushed).toEqual([]);
  });

  it('is refused for an id that is taken, and by a node that nothing would start again', () => {
    expect(createSetup().renaming.answer({ ...request, to: 'gamma' }, 'alpha')).toMatchObject({
      error: expect.stringContaining('taken') as string,
    });
    expect(createSetup({ isFixed: true }).renaming.answer(request, 'alpha')).toMatchObject({
      error: expect.stringContaining('inside another program') as string,
    });
  });

  it('names what is left, sends guests of others away, and lets the node leave once everything is done and published', () => {
    const setup = createSetup();
    const { guest } = guestRunning({ migrate: 'restart' });
    if (guest === null) throw new Error('there is a guest');
    setup.items.set('j1', held().state);
    setup.guests.set('omega/g1/1', { ...guest, owner: 'delta', item: 'g1' });
    expect(setup.renaming.answer(request, 'alpha')).toMatchObject({
      data: { to: 'omega', waits_count: 2, waits: [{ item: 'j1' }, { item: 'delta/g1' }] },
    });
    expect(setup.renaming.wanted).toBe('omega');
    expect(setup.pushed.filter((one) => one.type === 'GuestInput')).toEqual([
      {
        type: 'GuestInput',
        guest: 'omega/g1/1',
        input: { type: 'VacateWanted', reason: 'alpha is being renamed to omega' },
      },
    ]);
    setup.renaming.leaveIfDone();
    setup.items.clear();
    setup.renaming.leaveIfDone();
    setup.guests.clear();
    setup.busy = true;
    setup.renaming.leaveIfDone();
    expect(setup.left).toEqual([]);
    setup.busy = false;
    setup.renaming.leaveIfDone();
    setup.renaming.leaveIfDone();
    expect(setup.left).toEqual(['omega']);
  });

  it('expires when it is not repeated for 15 s', () => {
    const { renaming, clock, left } = createSetup();
    renaming.answer(request, 'alpha');
    clock.pass(14_000);
    renaming.answer(request, 'alpha');
    clock.pass(14_000);
    expect(renaming.wanted).toBe('omega');
    clock.pass(2000);
    expect(renaming.wanted).toBeUndefined();
    renaming.leaveIfDone();
    expect(left).toEqual([]);
  });

  it('is withdrawn', () => {
    const { renaming, left } = createSetup();
    renaming.answer(request, 'alpha');
    expect(renaming.answer({ ...request, value: 'OFF' }, 'alpha')).toMatchObject({ data: { to: 'alpha' } });
    expect(renaming.wanted).toBeUndefined();
    renaming.leaveIfDone();
    expect(left).toEqual([]);
  });
});
