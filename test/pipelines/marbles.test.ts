/** The stages that look at the whole, in virtual time: when they look, and that they hold no timer of their own. */
import { map, NEVER, type Observable } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock/clock.js';
import { putMember, type MeshInput, type MeshView } from '../../src/core/mesh.js';
import type { OfferBook } from '../../src/core/offer-book.js';
import { claimOffers, keepBook } from '../../src/pipelines/claim.js';
import { deriveMesh, trackMembers } from '../../src/pipelines/derive.js';
import { electMesh } from '../../src/pipelines/elect.js';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import { offerItems } from '../../src/pipelines/offer.js';
import { publishScum, publishState } from '../../src/pipelines/publish.js';
import { retireItems } from '../../src/pipelines/retire.js';
import { shedItems } from '../../src/pipelines/shed.js';
import { wakeItems } from '../../src/pipelines/wake.js';
import type { Scum, State, Trit } from '../../src/protocol/messages.js';
import { submit } from '../core/owner/owner-run.js';
import { createMember, createOffer, createState, createView, meshRules } from '../core/samples.js';

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

describe('derive', () => {
  test('a member that changed is named; one that says nothing new is not', () => {
    run(({ cold, expectObservable }, clock) => {
      const inputs$ = cold<MeshInput>('abb', { a: heard(-1, 1), b: heard(0, 2) });
      expectObservable(trackMembers(inputs$, createView(), clock).pipe(map(({ node }) => node))).toBe('bb-', {
        b: 'beta',
      });
    });
  });

  test('changes are gathered, and silence is noticed without a word', () => {
    run(({ cold, expectObservable }, clock) => {
      const view: MeshView = createView({ ...createMember('beta', { trit: -1, ttl_s: 3 }), available: true });
      const changes$ = cold('ab-c', {}).pipe(
        map(() => putMember(view, createMember('gamma', { trit: 1, ttl_s: 9 }), clock.now())),
      );
      const sums$ = deriveMesh(changes$, view, clock, meshRules).pipe(map(({ sum, online }) => `${sum} of ${online}`));
      expectObservable(sums$, '^ 5s !').toBe('a 49ms b 3949ms c', { a: '-1 of 1', b: '0 of 2', c: '1 of 1' });
    });
  });
});

describe('elect', () => {
  test('says the mesh when it changed, and every half minute', () => {
    run(({ cold, expectObservable }, clock) => {
      const view = createView(createMember('beta', { ttl_s: 60 }), createMember('gamma', { trit: 0, ttl_s: 60 }));
      const sum$ = cold('aa', {}) as Observable<never>;
      const said$ = electMesh(sum$, view, clock, meshRules).pipe(
        map((mesh) => `${mesh?.receivers.join()} by ${mesh?.reporter}`),
      );
      expectObservable(said$, '^ 31s !').toBe('a 29999ms a', { a: 'beta by gamma' });
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

  test.each<[string, string, string]>([
    ['a first state is said at once', 'a', 'a'],
    ['a trit is said at once', 'at', 'at'],
    ['a wandering ratio waits for its time', 'al', 'a'],
    ['slots are said soon, the newest of them', 'asr', 'a 249ms r'],
  ])('%s', (_title, source, expected) => {
    run((helpers, clock) => helpers.expectObservable(publish(helpers, clock, source), '^ 2s !').toBe(expected));
  });

  test('in any case it is said now and then', () => {
    run((helpers, clock) => helpers.expectObservable(publish(helpers, clock, 'al', 100), '^ 150ms !').toBe('a 99ms l'));
  });

  test('heavy processes are said when who they are changed, not every percent', () => {
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
  const view = createView(createMember('beta'), createMember('gamma', { projected_ratio: 0.25 }));
  const offer: NodeInput = { type: 'OfferHeard', owner: 'alpha', item: 'j1', offer: createOffer() };
  const ack: NodeInput = {
    type: 'AckSeen',
    owner: 'alpha',
    item: 'j1',
    ack: { epoch: 1, to: 'beta', renewal: 1, lease_ms: 1, transport: 'none', urls: [] },
  };

  function claims(self: string, due$: Observable<NodeInput>, clock: Clock): Observable<string> {
    const book: OfferBook = new Map();
    const facts = () => ({
      self,
      view,
      mesh: meshRules,
      now: clock.now(),
      stepMs: 10,
      diskFree: undefined,
      slotsFree: 1,
      holds: () => false,
      accepts: () => true,
    });
    const looks$ = due$.pipe(map((input) => keepBook(book, input, clock.now())));
    return claimOffers(looks$, { book, clock, facts }).pipe(
      map((input) => {
        if (input.type === 'ClaimChosen') book.delete('alpha/j1');
        return input.type === 'ClaimChosen' ? `${input.claim.rank}` : '?';
      }),
    );
  }

  test.each<[string, string, string, string]>([
    ['the first in rank at once', 'beta', '--o', '--0'],
    ['the second after a step', 'gamma', '--o', '-- 10ms 1'],
    ['the second not at all when an ack passes first', 'gamma', '--o-----a', '--'],
    ['a look in between delays nothing', 'gamma', '--o--o--o', '-- 10ms 1'],
  ])('%s', (_title, self, source, expected) => {
    run(({ hot, expectObservable }, clock) => {
      expectObservable(claims(self, hot<NodeInput>(source, { o: offer, a: ack }), clock), '^ 500ms !').toBe(expected);
    });
  });

  test('a late ack of an older epoch strikes nothing out', () => {
    const book: OfferBook = new Map();
    keepBook(book, { ...offer, offer: createOffer({ epoch: 2 }) }, 0);
    expect(keepBook(book, ack, 0)).toBe(false);
    expect(book.size).toBe(1);
  });
});

describe('offer, wake and shed', () => {
  const view = createView(createMember('beta'));
  const common = { self: 'alpha', view, mesh: meshRules, now: 0 };

  test('each time it is due the queue is gone through, each item gets its fact', () => {
    run(({ cold, expectObservable }) => {
      const parts = {
        queue: () => [
          submit({ item: 'j1' }).state,
          submit({ item: 'j2', need: { cpus: 9, labels: [], abilities: [] } }).state,
        ],
        facts: () => ({
          ...common,
          trit: 0 as const,
          direction: 'rest' as const,
          rebalance: 'pairs' as const,
          outstanding: 0,
          standing: 0,
        }),
      };
      const facts$ = offerItems(cold('-d---d', {}), parts).pipe(
        map((input) => (input.type === 'OwnerFact' ? `${input.item} ${input.fact.type}` : '?')),
      );
      expectObservable(facts$).toBe('-(ab)(ab)', { a: 'j1 OfferChosen', b: 'j2 ItemPassedOver' });
    });
  });

  test('sleeping items wake as far as there are slots', () => {
    run(({ cold, expectObservable }) => {
      const sleeping = ['j1', 'j2', 'j3'].map((item) => submit({ item, deferred: true }).state);
      const parts = {
        sleeping: () => sleeping,
        facts: () => ({ ...common, direction: 'wake' as const, slotsAsked: 0 }),
      };
      const woken$ = wakeItems(cold('-d', {}), parts).pipe(
        map((input) => (input.type === 'OwnerFact' ? input.item : '?')),
      );
      expectObservable(woken$).toBe('-(ab)', { a: 'j1', b: 'j2' });
    });
  });

  test('a node that has nothing to shed says nothing', () => {
    run(({ cold, expectObservable }) => {
      const moves = { projectedMax: 1, gainMin: 0, cooldownMs: 0, itemRestMs: 0 };
      const facts = () => ({
        ...common,
        moves,
        trit: 1 as const,
        loadRatio: 2,
        direction: 'shed' as const,
        rebalance: 'pairs' as const,
        lastMoveAt: -1,
        moving: false,
        leftAlone: [],
        paceTo: () => undefined,
      });
      expectObservable(shedItems(cold('dd|', {}), { running: () => [], facts })).toBe('--|');
    });
  });
});

describe('retire', () => {
  test('what ended long ago is forgotten, what lives never', () => {
    run(({ cold, expectObservable }, clock) => {
      const ended = { ...submit({ item: 'old' }).state, phase: 'done' as const, endedRunningMs: 0 };
      const items = new Map([
        ['old', ended],
        ['young', submit({ item: 'young' }).state],
      ]);
      expectObservable(retireItems(cold('a 100ms b', {}), items, 50, clock.now)).toBe('- 100ms b', { b: 'old' });
    });
  });

  test('a stage that is never due does nothing', () => {
    run(({ expectObservable }, clock) => expectObservable(retireItems(NEVER, new Map(), 50, clock.now)).toBe(''));
  });
});
