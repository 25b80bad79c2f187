/**
 * A node or the broker is killed at a step of a move by checkpoint and restarts. At the end one process has counted on:
 * no line is missing, none is repeated, and the owner has the exit code. Host one owns the job and host two runs it
 * first, so two is the source of the move, and one receives the copy.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { findCountFault, makeCounters } from '../support/counters.js';
import { canFreeze } from '../support/criu.js';
import { MORTAL_BROKERS, type MortalBroker } from '../support/broker-processes.js';
import { fields, isStatus, openScene, WITH_CRIU, type BusListener, type Scene } from '../support/programs.js';
import { canMakeHosts, PLACE } from '../support/two-hosts.js';
import { openTwoNodes, type TwoNodes } from '../support/two-nodes.js';
import { tellIfFailed } from '../support/story.js';

const { counters, directory } = makeCounters();
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const isLong = process.env['TRITMESH_TEST_LONG'] === '1';
/** Number of kills of each kind at each step on each broker; `TRITMESH_TEST_TIMES` in a long run. */
const TIMES = isLong ? Number(process.env['TRITMESH_TEST_TIMES'] ?? '5') : 1;

/** The steps of a move, with the host whose node takes them. A normal run tests the first ones. */
const STEPS: readonly (readonly [step: string, host: 0 | 1])[] = [
  ['owner:said-lease-continue', 0],
  ['receiver:persisted-frozen', 1],
  ['owner:persisted-committed', 0],
  ['owner:said-lease-checkpoint', 0],
  ['receiver:persisted-freezing', 1],
  ['receiver:freezing', 1],
  ['receiver:persisted-prepared', 0],
  ['owner:persist-committed', 0],
  ['receiver:persisted-thawing', 0],
  ['receiver:thawed', 0],
  ['owner:said-lease-settled', 0],
  ['receiver:stop', 1],
];
const NORMAL = 3;

const [counter] = counters;

describe
  .skipIf(!canFreeze || !canMakeHosts || counter === undefined)
  .each(MORTAL_BROKERS.filter(({ isThere }) => isThere))('on $name', ({ name, open }) => {
  // A normal run alternates its few steps between the two brokers.
  const turn = name === 'Mosquitto' ? 1 : 0;
  const steps = isLong ? STEPS : STEPS.slice(0, NORMAL).filter((_, at) => at % 2 === turn);
  const rounds = steps.flatMap(([step, host]) =>
    Array.from({ length: TIMES }, (_, at) => ({ step, host, round: at + 1 })),
  );

  it.each(rounds)('$step: its node is killed, round $round', { timeout: 180_000 }, async ({ step, host }) => {
    await withMesh(open, [step, host], async ({ mesh, item }) => {
      const node = mesh.nodes[host];
      await mesh.nodes[0].command(['migrate', item]);
      await node.gone();
      expect(node.output()).toContain(`dies at ${step}`);
      await node.start(WITH_CRIU);
    });
  });

  it.each(rounds)('$step: the broker is killed, round $round', { timeout: 180_000 }, async ({ step, host }) => {
    await withMesh(open, [`freeze:${step}`, host], async ({ mesh, item, broker, ear }) => {
      const node = mesh.nodes[host];
      const asked = mesh.nodes[0].command(['migrate', item]);
      await node.says(`stands still at ${step}`);
      await ear.close();
      await broker.kill();
      await broker.start();
      node.resume();
      await asked;
    });
  });
});

interface Staged {
  readonly mesh: TwoNodes;
  readonly item: string;
  readonly broker: MortalBroker;
  readonly ear: BusListener;
}

/** Lets a job count on host two, disturbs its move, and checks the outcome. */
async function withMesh(
  open: () => Promise<MortalBroker>,
  [stop, at]: readonly [string, 0 | 1],
  harm: (staged: Staged) => Promise<void>,
): Promise<void> {
  // Also after a timeout: what a test left would disturb the next one.
  const broker = await open();
  onTestFinished(() => broker.close());
  const scene = openScene(broker.url);
  onTestFinished(() => scene.end());
  const stopped = { TRITMESH_STOP_AT: stop };
  const mesh = await openTwoNodes(
    broker,
    [`command:cat ${LOAD}`, 'fixed:0.1'],
    [
      { ...WITH_CRIU, ...SENSES, ...(at === 0 ? stopped : {}) },
      { ...WITH_CRIU, ...(at === 1 ? stopped : {}) },
    ],
  );
  onTestFinished(() => mesh.end());
  const ear = await scene.ear();
  tellIfFailed(mesh.nodes, ear);
  const item = await submit(mesh, ear);
  await harm({ mesh, item, broker, ear });
  await checkEnd(mesh, scene, item);
}

const LOAD = `${PLACE}/load`;
const SENSES = {
  TRITMESH_SENSE_LOAD_EVERY_MS: '300',
  TRITMESH_TRIT_PLUS_HOLD_MS: '0',
  TRITMESH_TRIT_ERGODIC_HOLD_MS: '0',
};

/** The owner is overloaded until the job runs on the other host, so that it starts there; then it may receive it. */
async function submit(mesh: TwoNodes, ear: BusListener): Promise<string> {
  const [owner] = mesh.nodes;
  const load = async (ratio: number, trit: number): Promise<void> => {
    writeFileSync(owner.host.path(LOAD), String(ratio));
    await ear.next((one) => one.topic === 'tritmesh/node/one/state' && fields(one)['trit'] === trit);
  };
  await load(0.95, 1);
  for (const { id } of mesh.nodes) await ear.next((one) => one.topic === `tritmesh/node/${id}/state`);
  const command = counter?.argv(LINES, 7, 20_000) ?? [];
  const submitted = await owner.command(['run', '--no-wait', '--json', '--migrate', 'checkpoint', '--', ...command]);
  expect(submitted.code, submitted.stderr).toBe(0);
  const { item } = JSON.parse(submitted.stdout) as { readonly item: string };
  await ear.next((one) => isStatus(item, 'running')(one) && fields(one)['receiver'] === 'two');
  await ear.next((one) => one.topic.endsWith(`/${item}/log/two`));
  await load(0.5, 0);
  return item;
}

const LINES = 400;

async function checkEnd(mesh: TwoNodes, scene: Scene, item: string): Promise<void> {
  const [owner] = mesh.nodes;
  const ear = await scene.ear();
  const end = fields(await ear.next(isStatus(item, 'done', 'failed', 'lost')));
  expect(end).toMatchObject({ phase: 'done', exit_code: 7 });
  const logs = await owner.command(['logs', item]);
  expect(findCountFault(logs.stdout, LINES)).toBeUndefined();
  // All originals and copies have ended: no counting process is left on the hosts.
  for (const { host } of mesh.nodes) expect(host.run('ps', '-eo', 'args')).not.toContain(` ${LINES} 7 20000`);
}
