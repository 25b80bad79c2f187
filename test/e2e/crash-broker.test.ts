/**
 * The broker is killed while a node is stopped at a step of an item's way, and restarts on the same port. Then the node
 * continues: what it publishes next goes into a dead connection. No lease ends meanwhile, so each job starts once.
 */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { MORTAL_BROKERS } from '../support/broker-processes.js';
import { expectSettled, openPair, submitJobs, type Pair, type Side } from '../support/pair.js';
import { upAfter, type NodeProcess } from '../support/programs.js';
import { chooseSteps, OWNER_STEPS, RECEIVER_STEPS } from '../support/steps.js';
import { hasFlock } from '../support/witness.js';

/** Steps that a short run tests on each broker. */
const SHORT_COUNT = 3;

/** Longer than a broker takes to restart on a busy machine. */
const LEASE_MS = '30000';

describe.each(MORTAL_BROKERS)('on $name', ({ isThere, open, name }) => {
  if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
  it.each(chooseSteps([...OWNER_STEPS, ...RECEIVER_STEPS], name, SHORT_COUNT))(
    'settles everything when its broker dies at %s',
    async (step) => {
      const side: Side = OWNER_STEPS.includes(step) ? 'owner' : 'receiver';
      const pair = await openPair(open, { side, at: `freeze:${step}` }, { TRITMESH_LEASE_LEASE_MS: LEASE_MS });
      const jobs = await submitJobs(pair);
      await standsAt(pair[side], step);
      await pair.broker.kill();
      await pair.broker.start();
      expect(isStopped(pair[side].pid)).toBe(true);
      await goOn(pair, pair[side]);
      await expectSettled(pair, jobs, 1);
    },
  );
});

/** Waits until a node has reported the step, and the kernel has stopped it. */
async function standsAt(node: NodeProcess, step: string): Promise<void> {
  await expect.poll(() => node.output(), { timeout: 30_000 }).toContain(`stands still at ${step}\n`);
  await expect.poll(() => isStopped(node.pid)).toBe(true);
}

function isStopped(pid: number): boolean {
  return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');
}

/** Resolves when all nodes are back on the bus. */
async function goOn({ ear, owner, receiver }: Pair, node: NodeProcess): Promise<void> {
  const from = ear.heard.length;
  node.signal('SIGCONT');
  await Promise.all([owner, receiver].map(({ id }) => upAfter(ear, id, from)));
}
