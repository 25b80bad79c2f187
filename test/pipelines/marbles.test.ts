/** The stages that decide about the whole, in virtual time: when they decide, and which timers they hold. */
import { map, NEVER, type Observable } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/clock/clock.js';
import { putMember, type MeshInput, type MemberTable } from '../../src/core/mesh/member-table.js';
import type { OpenOffers } from '../../src/core/placement/open-offers.js';
import { claimOffers, trackOffers } from '../../src/pipelines/receiver/claim.js';
import { deriveMesh } from '../../src/pipelines/mesh/sum.js';
import { trackMembers } from '../../src/pipelines/mesh/members.js';
import { publishMesh } from '../../src/pipelines/mesh/publish-mesh.js';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import { offerItems } from '../../src/pipelines/owner/offer.js';
import { publishScum, publishState } from '../../src/pipelines/load/publish-state.js';
import { retireItems } from '../../src/pipelines/owner/retire.js';
import { shedItems } from '../../src/pipelines/owner/shed.js';
import { wakeItems } from '../../src/pipelines/owner/wake.js';
import type { Scum, State, Trit } from '../../src/protocol/messages.js';
import { submit } from '../core/owner/owner-run.js';
import { createMember, createOffer, createState, createTable, meshRules } from '../support/samples.js';

function run(play: (helpers: RunHelpers, clock: Clock) => void): void {
  const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
  const now = (): number => scheduler.now();
  scheduler.run((helpers) => play(helpers, { now, wall: now, scheduler }));
}

function heard(trit: Trit, seq: number): MeshInput {
  return {
    type: 'StateHeard',
    fresh: false,
    node: 'beta',
    state: { v: 1, ts: '', boot: 1, seq, ...createState({ trit, ttl_s: 3 }) },
  };
}

describe('members and sum', () => {
  it('a member that changed is emitted; one that reports nothing new is not', () => {
    run(({ cold, expectObservable }, clock) => {
      const inputs$ = cold<MeshInput>('abb', { a: heard(-1, 1), b: heard(0, 2) });
      expectObservable(trackMembers(inputs$, createTable(), clock).pipe(map(({ node }) => node))).toBe('bb-', {
        b: 'beta',
      });
    });
  });

  it('changes are gathered, and silence is noticed without a message', () => {
    run(({ cold, expectObservable }, clock) => {
      const members: MemberTable = createTable({ ...createMember('beta', { trit: -1, ttl_s: 3 }), available: true });
      const changes$ = cold('ab-c', {}).pipe(
        map(() => putMember(members, createMember('gamma', { trit: 1, ttl_s: 9 }), clock.now())),
      );
      const sums$ = deriveMesh(changes$, members, clock, meshRules).pipe(
        map(({ sum, online }) => `${sum} of ${online}`),
      );
      expectObservable(sums$, '^ 5s !').toBe('a 49ms b 3949ms c', { a: '-1 of 1', b: '0 of 2', c: '1 of 1' });
    });
  });
});

describe('publish-mesh', () => {
  it('publishes the mesh when it changed, and every half minute', () => {
    run(({ cold, expectObservable }, clock) => {
      const members = createTable(createMember('beta', { ttl_s: 60 }), createMember('gamma', { trit: 0, ttl_s: 60 }));
      const sum$ = cold('aa', {}) as Observable<never>;
      const published$ = publishMesh(sum$, members, clock, meshRules).pipe(
        map((mesh) => `${mesh?.receivers.join()} by ${mesh?.reporter}`),
      );
      expectObservable(published$, '^ 31s !').toBe('a 29999ms a', { a: 'beta by gamma' });
    });
  });
});

describe('publish', () => {
  const letters: Readonly<Record<string, State>> = {
    a: createState(),
    l: createState({ load_ratio: 0.2 }),
    t: createState({ trit: 0 }),
    s: createState({ slots_free: 1 }),
    r: createState({ slots_free: 0 }),
  };

  function publish(helpers: RunHelpers, clock: Clock, source: string, everyMs = 15_000): Observable<string> {
    let last: State | undefined;
    const state$ = helpers.hot(source, letters).pipe(map((state) => (last = state)));
    const nameOf = (state: State): string => Object.entries(letters).find(([, one]) => one === state)?.[0] ?? '?';
    return publishState(state$, () => last, everyMs, clock).pipe(map(nameOf));
  }

  it.each<[string, string, string]>([
    ['the first state is published at once', 'a', 'a'],
    ['a trit is published at once', 'at', 'at'],
    ['a drifting ratio waits for the interval', 'al', 'a'],
    ['slots are published soon, only the newest', 'asr', 'a 249ms r'],
  ])('%s', (_title, source, expected) => {
    run((helpers, clock) => helpers.expectObservable(publish(helpers, clock, source), '^ 2s !').toBe(expected));
  });

  it('the state is published at every interval in any case', () => {
    run((helpers, clock) => helpers.expectObservable(publish(helpers, clock, 'al', 100), '^ 150ms !').toBe('a 99ms l'));
  });

  it('the SCUM list is published when its members changed, not with every percent', () => {
    run(({ hot, expectObservable }, clock) => {
      const one = {
        pid: 1,
        name: 'x',
        score: 0.5,
        cpu_percent: 90,
        memory_percent: 1,
        age_s: 1,
        action: 'allow',
        movable: false,
      } as const;
      const lists: Readonly<Record<string, Scum>> = {
        a: { count: 1, items: [one] },
        b: { count: 1, items: [{ ...one, cpu_percent: 91 }] },
        c: { count: 1, items: [{ ...one, pid: 2 }] },
      };
      expectObservable(publishScum(hot('abc', lists), clock), '^ 6s !').toBe('a 4999ms c', lists);
    });
  });
});

describe('claim', () => {
  const members = createTable(createMember('beta'), createMember('gamma', { projected_ratio: 0.25 }));
  const offer: NodeInput = { type: 'OfferHeard', owner: 'alpha', item: 'j1', offer: createOffer() };
  const ack: NodeInput = {
    type: 'AckHeard',
    owner: 'alpha',
    item: 'j1',
    ack: { epoch: 1, to: 'beta', renewal: 1, lease_ms: 1, transport: 'none', urls: [] },
  };

  function claims(self: string, due$: Observable<NodeInput>, clock: Clock): Observable<string> {
    const openOffers: OpenOffers = new Map();
    const context = () => ({
      self,
      members,
      mesh: meshRules,
      now: clock.now(),
      stepMs: 10,
      diskFree: undefined,
      slotsFree: 1,
      holds: () => false,
      accepts: () => true,
    });
    const changed$ = due$.pipe(map((input) => trackOffers(openOffers, input, clock.now())));
    return claimOffers(changed$, { openOffers, clock, context }).pipe(
      map((input) => {
        if (input.type === 'ClaimChosen') openOffers.delete('alpha/j1');
        return input.type === 'ClaimChosen' ? `${input.claim.rank}` : '?';
      }),
    );
  }

  it.each<[string, string, string, string]>([
    ['the first in rank at once', 'beta', '--o', '--0'],
    ['the second after a step', 'gamma', '--o', '-- 10ms 1'],
    ['the second not at all when an ack passes first', 'gamma', '--o-----a', '--'],
    ['a decision in between delays nothing', 'gamma', '--o--o--o', '-- 10ms 1'],
  ])('%s', (_title, self, source, expected) => {
    run(({ hot, expectObservable }, clock) => {
      expectObservable(claims(self, hot<NodeInput>(source, { o: offer, a: ack }), clock), '^ 500ms !').toBe(expected);
    });
  });

  it('a late ack of an older epoch removes nothing', () => {
    const openOffers: OpenOffers = new Map();
    trackOffers(openOffers, { ...offer, offer: createOffer({ epoch: 2 }) }, 0);
    expect(trackOffers(openOffers, ack, 0)).toBe(false);
    expect(openOffers.size).toBe(1);
  });
});

describe('offer, wake and shed', () => {
  const members = createTable(createMember('beta'));
  const common = { self: 'alpha', members, mesh: meshRules, now: 0 };

  it('each time it is due, each item of the queue gets its input', () => {
    run(({ cold, expectObservable }) => {
      const queue = [
        submit({ id: 'j1' }).state,
        submit({ id: 'j2', need: { cpus: 9, labels: [], abilities: [] } }).state,
      ];
      const deps = {
        queue: () => queue,
        unexplained: () => queue,
        context: () => ({
          ...common,
          trit: 0 as const,
          direction: 'rest' as const,
          rebalance: 'pairs' as const,
          outstanding: 0,
          standing: 0,
        }),
      };
      const context$ = offerItems(cold('-d---d', {}), deps).pipe(
        map((input) => (input.type === 'ItemInput' ? `${input.item} ${input.input.type}` : '?')),
      );
      expectObservable(context$).toBe('-(ab)(ab)', { a: 'j1 OfferChosen', b: 'j2 ItemPassedOver' });
    });
  });

  it('as many deferred items wake as there are slots', () => {
    run(({ cold, expectObservable }) => {
      const sleeping = ['j1', 'j2', 'j3'].map((item) => submit({ id: item, deferred: true }).state);
      const deps = {
        sleeping: () => sleeping,
        context: () => ({ ...common, direction: 'wake' as const, slotsAsked: 0 }),
      };
      const woken$ = wakeItems(cold('-d', {}), deps).pipe(
        map((input) => (input.type === 'ItemInput' ? input.item : '?')),
      );
      expectObservable(woken$).toBe('-(ab)', { a: 'j1', b: 'j2' });
    });
  });

  it('a node that has nothing to shed emits nothing', () => {
    run(({ cold, expectObservable }) => {
      const moves = { projectedMax: 1, gainMin: 0, cooldownMs: 0, itemRestMs: 0 };
      const context = () => ({
        ...common,
        moves,
        trit: 1 as const,
        loadRatio: 2,
        direction: 'shed' as const,
        rebalance: 'pairs' as const,
        lastMoveAt: -1,
        moving: false,
        excluded: [],
        paceTo: () => undefined,
      });
      expectObservable(shedItems(cold('dd|', {}), { running: () => [], context })).toBe('--|');
    });
  });
});

describe('retire', () => {
  it('an item that ended long ago is forgotten, a living one never', () => {
    run(({ cold, expectObservable }, clock) => {
      const ended = { ...submit({ id: 'old' }).state, phase: 'done' as const, endedRunningMs: 0 };
      const items = new Map([
        ['old', ended],
        ['young', submit({ id: 'young' }).state],
      ]);
      expectObservable(retireItems(cold('a 100ms b', {}), items, 50, clock.now)).toBe('- 100ms b', { b: 'old' });
    });
  });

  it('a stage that is never due does nothing', () => {
    run(({ expectObservable }, clock) => expectObservable(retireItems(NEVER, new Map(), 50, clock.now)).toBe(''));
  });
});
