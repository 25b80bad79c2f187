/**
 * What every throttle method must do, on real processes. Another burner runs on the same core, since a weight has an
 * effect only under competition.
 */
import { describe, expect, it } from 'vitest';
import type { SavedThrottle } from '../../src/core/processes/saved-throttle.js';
import { joinMethods } from '../../src/throttle/create-throttle.js';
import type { Method } from '../../src/throttle/method.js';
import type { Throttle } from '../../src/throttle/throttle.js';
import { measureShare, describeProcesses, startBurner, until, type Burner } from '../throttle/burners.js';

const SHARE_PERCENT = 4;
/**
 * Largest share of a core that a held target uses: timers on a busy machine are late, and a weight is not a hard limit.
 */
const HELD_MAX = 0.13;
/** Smallest share that a free target uses. It is half a core on an idle machine, because of the other burner. */
const FREE_MIN = 0.16;

/** A burner that forks another one at SIGUSR1. */
const FORKING = "trap '(while :; do :; done) &' USR1; while :; do :; done";

/** Runs the suite; `create` creates a fresh instance, as the next boot of a node does. */
export function testThrottle(create: () => Method): void {
  const open = (isGuard: (pid: number) => boolean = () => false): Throttle => {
    const method = create();
    return joinMethods([method], [method.method], isGuard);
  };

  describe(`the ${create().method} throttle`, () => {
    it('holds a process to its share, and undo releases it', async () => {
      const throttle = open();
      const [one] = [await startBurner(), await startBurner()];
      const record = set(throttle, one);
      expect(await measureHeld(one)).toBeLessThan(HELD_MAX);
      expect(throttle.undo(record)).toEqual({ ok: true });
      expect(await measureShare(one)).toBeGreaterThan(FREE_MIN);
    });

    it('holds a whole tree, and restores what each process had before', async () => {
      const throttle = open();
      const [tree] = [await startBurner(2), await startBurner()];
      const pids = tree.pids();
      const before = describeProcesses(pids);
      const record = set(throttle, tree);
      expect(record.processes.map(({ pid }) => pid)).toEqual(pids);
      expect(await measureHeld(tree)).toBeLessThan(HELD_MAX);
      expect(throttle.undo(record)).toEqual({ ok: true });
      expect(describeProcesses(pids)).toEqual(before);
    });

    it('changes nothing in prepare', async () => {
      const throttle = open();
      const burner = await startBurner();
      const before = describeProcesses([burner.pid]);
      expect(prepare(throttle, burner).processes).toHaveLength(1);
      expect(describeProcesses([burner.pid])).toEqual(before);
    });

    it('is undone by the next boot of the node, from the record alone', async () => {
      const burner = await startBurner();
      const before = describeProcesses([burner.pid]);
      const first = open();
      const record = set(first, burner);
      first.close();
      expect(open().undo(JSON.parse(JSON.stringify(record)) as SavedThrottle)).toEqual({ ok: true });
      expect(describeProcesses([burner.pid])).toEqual(before);
    });

    it('is resumed by the next boot of the node, and includes what was forked since', async () => {
      const [tree] = [await startBurner(0, FORKING), await startBurner()];
      const before = describeProcesses([tree.pid]);
      const first = open();
      const small = set(first, tree);
      first.close();
      await fork(tree);
      const next = open();
      const processes = tree.pids().map((pid) => ({ pid }));
      const grown = next.prepare({ target: small.target, processes }, SHARE_PERCENT, small);
      if (!grown.ok) throw new Error(grown.reason);
      expect(next.set(grown.record)).toEqual({ ok: true });
      expect(await measureHeld(tree)).toBeLessThan(HELD_MAX);
      expect(next.undo(grown.record)).toEqual({ ok: true });
      expect(describeProcesses(tree.pids())).toEqual([before[0], before[0]]);
    });

    it('releases what was forked while it was set', async () => {
      const throttle = open();
      const burner = await startBurner(0, FORKING);
      const before = describeProcesses([burner.pid]);
      const record = set(throttle, burner);
      await fork(burner);
      expect(throttle.undo(record)).toEqual({ ok: true });
      expect(describeProcesses(burner.pids())).toEqual([before[0], before[0]]);
    });

    it('leaves nothing behind when its processes have ended', async () => {
      const throttle = open();
      const burner = await startBurner();
      const record = set(throttle, burner);
      await burner.end();
      expect(throttle.undo(record)).toEqual({ ok: true });
      expect(throttle.undo(record)).toEqual({ ok: true });
      expect(throttle.set(record)).toMatchObject({ ok: false, reason: expect.stringContaining('there any more') });
    });

    it('leaves alone a process that has taken over the pid, and a watchdog', async () => {
      const burner = await startBurner();
      const processes = [{ pid: burner.pid, start: '1' }];
      expect(open().prepare({ target: 'pid/1', processes }, 10, null)).toMatchObject({ ok: false });
      const guarding = open((pid) => pid === burner.pid);
      expect(guarding.prepare({ target: 'pid/1', processes: [{ pid: burner.pid }] }, 10, null)).toMatchObject({
        ok: false,
      });
    });
  });
}

function prepare(throttle: Throttle, burner: Burner, pids = burner.pids()): SavedThrottle {
  const target = { target: `pid/${burner.pid}`, processes: pids.map((pid) => ({ pid })) };
  const prepared = throttle.prepare(target, SHARE_PERCENT, null);
  if (!prepared.ok) throw new Error(prepared.reason);
  return prepared.record;
}

function set(throttle: Throttle, burner: Burner, pids?: readonly number[]): SavedThrottle {
  const record = prepare(throttle, burner, pids);
  expect(throttle.set(record)).toEqual({ ok: true });
  return record;
}

async function fork(burner: Burner): Promise<void> {
  process.kill(burner.pid, 'SIGUSR1');
  await until(() => burner.pids().length > 1);
}

/** Measures twice, since a method that adapts to its target needs time to settle. */
async function measureHeld(burner: Burner): Promise<number> {
  await measureShare(burner);
  return measureShare(burner);
}
