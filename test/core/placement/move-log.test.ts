/** The log of moves: alpha owns the item, beta holds epoch 1, gamma takes epoch 2. */
import { describe, expect, it } from 'vitest';
import { NO_MOVES, watchItem, type MoveLog, type MoveLogContext } from '../../../src/core/placement/move-log.js';
import { excludedNodes, measureMoves, nextMeasureAt } from '../../../src/core/placement/move-outcome.js';
import type { ItemInput } from '../../../src/core/owner/inputs.js';
import { bundle, chosen, claim, feed, progress, result, running, vacated, type OwnerRun } from '../owner/owner-run.js';
import { openItem } from '../../../src/core/owner/step.js';
import { command, createItem, instant, ownerRules } from '../../support/samples.js';

const MINUTE = 60_000;

/** Load per cpu by node: the present and the projected one. */
type Ratios = Readonly<Record<string, readonly [load: number, projected: number]>>;

const before: Ratios = { beta: [0.9, 0.9], gamma: [0.1, 0.35] };

function context(now: number, ratios: Ratios = before, place: string | undefined = 'gamma'): MoveLogContext {
  return {
    self: 'alpha',
    now,
    stateOf: (node) => {
      const [load, projected] = ratios[node] ?? [];
      return load === undefined || projected === undefined
        ? undefined
        : { load_ratio: load, projected_ratio: projected, cpus: 4 };
    },
    placeOf: () => place,
  };
}

/** Feeds inputs to an item, and its changes to the log. */
function watch(run: OwnerRun, inputs: readonly (readonly [ItemInput, number])[], log: MoveLog = NO_MOVES): MoveLog {
  let [state, kept] = [run, log];
  for (const [input, ms] of inputs) {
    const next = feed(state, input, ms);
    kept = watchItem(kept, state.state, next.state, context(ms));
    state = next;
  }
  return kept;
}

const image = { ...bundle, bytes: 60_000_000 };
const freezable = { command: { ...command, migrate: 'checkpoint' as const } };
const frozen = result({ outcome: 'frozen', move: 1, image_need: ['criu'], outputs_count: 2, outputs_bytes: 9 });
const move: readonly (readonly [ItemInput, number])[] = [
  [{ type: 'MoveAsked', reason: 'beta is PLUS', to: null }, 1000],
  [frozen, 1500],
  [{ type: 'ItemCarried', epoch: 1, bundle: image, image: true }, 2000],
  // The time that it waits for a receiver does not count for the link.
  [chosen, 6000],
  [claim('gamma', 0, 2), 6000],
  [progress('prepared', 9, 2, 'gamma'), 7500],
  [progress('running', 10, 2, 'gamma'), 8000],
];
const moved = (log: MoveLog = NO_MOVES): MoveLog => watch(running(freezable), move, log);
const MADE = 8000;

describe('watchItem', () => {
  it('records the prediction, and how fast the image travelled', () => {
    const log = moved();
    expect(log.underWay.size).toBe(0);
    expect(log.made).toEqual([
      {
        item: 'j1',
        from: 'beta',
        to: 'gamma',
        reason: 'beta is PLUS',
        madeAt: MADE,
        share: 0.25,
        predictedFrom: 0.65,
        predictedTo: 0.35,
        checks: 0,
      },
    ]);
    // 60 MB in one second to the owner and two seconds after the ack.
    expect(log.paces).toEqual(new Map([['gamma', 20_000_000]]));
  });

  it('averages the paces of moves to the same node', () => {
    const paces = new Map([['gamma', 10_000_000]]);
    expect(moved({ ...NO_MOVES, paces }).paces.get('gamma')).toBe(15_000_000);
  });

  it('records why an external process is moved, not that it runs here', () => {
    const found = { process: { pid: 7, start: '7' }, ...freezable };
    const item = createItem(found);
    const { state } = openItem({ type: 'ItemSubmitted', item, reason: 'rule any:name=burn' }, instant(0), ownerRules);
    expect(watchItem(NO_MOVES, undefined, state, context(0)).underWay.get('j1')).toMatchObject({
      from: 'alpha',
      reason: 'rule any:name=burn',
    });
  });

  it('measures no pace with a small image', () => {
    const small = move.map(([input, ms]) => [input.type === 'ItemCarried' ? { ...input, bundle } : input, ms] as const);
    expect(watch(running(freezable), small).paces.size).toBe(0);
  });

  it('counts a restart as a move, too', () => {
    const gone = vacated();
    const log = watchItem(NO_MOVES, running().state, gone.state, context(0));
    expect(log.underWay.get('j1')).toMatchObject({ from: 'beta' });
    const after = watch(
      gone,
      [
        [{ type: 'ItemCarried', epoch: 1, bundle, image: false }, 10],
        [chosen, 20],
        [claim('gamma', 0, 2), 20],
        [progress('running', 10, 2, 'gamma'), 30],
      ],
      log,
    );
    expect(after.made).toMatchObject([{ from: 'beta', to: 'gamma', madeAt: 30 }]);
    expect(after.paces.size).toBe(0);
  });

  it('forgets a move that is refused or given up', () => {
    const refused: ItemInput = {
      type: 'ProgressHeard',
      from: 'beta',
      progress: { epoch: 1, phase: 'running', renewal: 2, move: 1, refused: 'it uses io_uring' },
    };
    const log = watch(running(freezable), [...move.slice(0, 1), [refused, 1100]]);
    expect(log).toEqual(NO_MOVES);
    const resumed = watch(running(freezable), [...move.slice(0, 3), [{ type: 'TimePassed' }, 60_000]]);
    expect(resumed.made).toEqual([]);
  });

  it('forgets a move whose item ends on its way or is offered again', () => {
    const log = watch(running(freezable), [...move.slice(0, 1), [result({ outcome: 'exited' }), 1100]]);
    const again = watch(running(freezable), [...move.slice(0, 1), [result({ outcome: 'cancelled' }), 1100]]);
    expect([log.underWay.size, again.underWay.size]).toEqual([0, 0]);
  });
});

describe('measureMoves', () => {
  const look = (log: MoveLog, ms: number, ratios: Ratios, place?: string): ReturnType<typeof measureMoves> =>
    measureMoves(log, context(ms, ratios, place));
  const good: Ratios = { beta: [0.6, 0.6], gamma: [0.4, 0.4] };
  const bad: Ratios = { beta: [0.1, 0.1], gamma: [0.9, 0.9] };

  it('reports how a move turned out after one minute and after five', () => {
    const log = moved();
    expect(nextMeasureAt(log)).toBe(MADE + MINUTE);
    expect(look(log, MADE + MINUTE - 1, good).effects).toEqual([]);
    const first = look(log, MADE + MINUTE, good);
    expect(first.effects).toMatchObject([
      {
        topic: { kind: 'event', node: 'alpha' },
        body: {
          event_type: 'move_outcome',
          item: 'j1',
          from: 'beta',
          to: 'gamma',
          after_s: 60,
          predicted_from_ratio: 0.65,
          from_ratio: 0.6,
          predicted_to_ratio: 0.35,
          to_ratio: 0.4,
          gain_ratio: 0.45,
          reason: 'beta is PLUS',
        },
      },
    ]);
    expect(nextMeasureAt(first.state)).toBe(MADE + 5 * MINUTE);
    const second = look(first.state, MADE + 5 * MINUTE, good);
    expect(second.effects).toMatchObject([{ body: { after_s: 300 } }]);
    expect(nextMeasureAt(second.state)).toBeUndefined();
    expect(excludedNodes(second.state, 'beta', MADE + 5 * MINUTE)).toEqual([]);
  });

  it('makes a pair back off after a bad move, each time for longer', () => {
    const first = look(moved(), MADE + MINUTE, bad).state;
    expect(excludedNodes(first, 'beta', MADE + 2 * MINUTE)).toEqual(['gamma']);
    expect(excludedNodes(first, 'gamma', MADE + 2 * MINUTE)).toEqual([]);
    expect(excludedNodes(first, 'beta', MADE + 31 * MINUTE)).toEqual([]);
    const second = look(first, MADE + 5 * MINUTE, bad).state;
    expect(excludedNodes(second, 'beta', MADE + 64 * MINUTE)).toEqual(['gamma']);
    expect(excludedNodes(second, 'beta', MADE + 65 * MINUTE)).toEqual([]);
  });

  it('resets the back-off after a later good move', () => {
    const backoffs = new Map([['beta gamma', { count: 3, endsAt: 0 }]]);
    const log = look(moved({ ...NO_MOVES, backoffs }), MADE + MINUTE, good).state;
    expect(log.backoffs.size).toBe(0);
  });

  it('ignores an item that has ended or moved on', () => {
    const { state, effects } = look(moved(), MADE + MINUTE, bad, 'delta');
    expect(effects).toMatchObject([{ body: { gain_ratio: null } }]);
    expect(excludedNodes(state, 'beta', MADE + MINUTE)).toEqual([]);
  });

  it('reports an unknown node as null', () => {
    const { effects } = look(moved(), MADE + MINUTE, { gamma: [0.9, 0.9] });
    expect(effects).toMatchObject([{ body: { from_ratio: null, to_ratio: 0.9, gain_ratio: null } }]);
  });
});
