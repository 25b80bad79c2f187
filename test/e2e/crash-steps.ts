/**
 * One node dies at a step of an item's way, exactly there, and is started again: what two jobs, one to run once and one to be
 * rerun, must have come to.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listProcessesBelow } from '../processes-below.js';
import { BROKERS, type TestBroker } from './brokers.js';
import { allUp, openScene, upAfter, type Ear, type NodeProcess, type Scene } from './programs.js';
import { hasFlock, submitWitness, type Witness } from './witness.js';

/** Makes the tests: `victim` dies at each of `steps`; the other node lives through all of them. */
export function crashAtSteps(victim: 'owner' | 'receiver', steps: readonly string[]): void {
  describe.each(BROKERS)('on $name', ({ isThere, open, name }) => {
    if (!isThere || !hasFlock()) return it.skip('needs its broker and flock', () => undefined);
    let broker: TestBroker;
    let scene: Scene;
    let ear: Ear;
    let alpha: NodeProcess;
    let beta: NodeProcess;

    beforeAll(async () => {
      broker = await open();
      scene = openScene(broker.url);
      ear = await scene.ear();
      alpha = await scene.node('alpha', 'fixed:0.9', VARIABLES);
      beta = await scene.node('beta', 'fixed:0.1', VARIABLES);
      await allUp(ear, ['alpha', 'beta']);
    });
    afterAll(async () => {
      await scene.end();
      await broker.close();
    });

    it.each(chooseSteps(steps, name))('settles everything when its node dies at %s', async (step) => {
      const node = victim === 'owner' ? alpha : beta;
      await node.kill();
      const from = ear.heard.length;
      await node.start({ ...VARIABLES, TRITMESH_STOP_AT: step });
      await upAfter(ear, node.id, from);
      const jobs = await Promise.all(
        (['once', 'rerun'] as const).map((retry) => submitWitness(scene, ear, alpha, { retry }, false)),
      );
      expect(await node.ended()).toBe('SIGKILL');
      const again = ear.heard.length;
      await node.start(VARIABLES);
      await upAfter(ear, node.id, again);
      for (const job of jobs) await job.askAgain();
      for (const job of jobs) await expectKept(job);
      await expectTidy([alpha.stateDir, beta.stateDir], jobs);
    });
  });
}

/** Who refused an item after a restart is left out for the length of an offer: short here. */
const VARIABLES = { TRITMESH_SLOTS: '4', TRITMESH_OFFERS_TTL_MS: '2000' };

/** A quarter of the steps, each on one of the brokers; all of them on both when there is time. */
function chooseSteps(steps: readonly string[], broker: string): readonly string[] {
  if (process.env['TRITMESH_TEST_LONG'] === '1') return steps;
  const turn = BROKERS.findIndex((one) => one.name === broker);
  return steps.filter((_step, index) => index % (4 * BROKERS.length) === 4 * turn);
}

/** The promises of DESIGN §6, as one job can show them. */
async function expectKept(job: Witness): Promise<void> {
  const status = await job.settled();
  const record = await job.record();
  expect(record).not.toContain('overlap');
  expect(status, JSON.stringify(status)).toMatchObject({ phase: 'done', exit_code: 0 });
  const { found, made } = await job.output();
  expect(found.equals(made)).toBe(true);
  expect(record.at(-1)).toBe('end');
  if (job.retry === 'once') expect(record).toEqual(['start', 'end']);
}

/** The kernel takes a moment over what was ended; no run of these jobs may stay. */
async function expectTidy(stateDirs: readonly string[], jobs: readonly Witness[]): Promise<void> {
  await expect
    .poll(() =>
      stateDirs.flatMap(listProcessesBelow).filter((one) => jobs.some((job) => one.command.includes(job.item))),
    )
    .toEqual([]);
}
