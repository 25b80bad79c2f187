/**
 * Running processes that move between two hosts while they count, with real nodes, a real broker and real criu: nothing
 * is missing, nothing is repeated, and the owner gets the exit code.
 */
import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCountFault, makeCounters } from '../support/counters.js';
import { canFreeze } from '../support/criu.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import {
  fields,
  isStatus,
  openScene,
  WITH_CRIU,
  type BusListener,
  type Heard,
  type Scene,
} from '../support/programs.js';
import { openTwoNodes, type HostNode, type TwoNodes } from '../support/two-nodes.js';
import { canMakeHosts } from '../support/two-hosts.js';

const { counters, directory } = makeCounters();
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const isLong = process.env['TRITMESH_TEST_LONG'] === '1';
/** Moves of one process. */
const HOPS = isLong ? 20 : 2;
/** Lines that a program counts meanwhile, one in 10 ms. */
const LINES = isLong ? 12_000 : 2500;

describe.skipIf(!canFreeze || !canMakeHosts).each(BROKERS.filter(({ isThere }) => isThere))(
  'on $name',
  ({ name, open }) => {
    let broker: TestBroker;
    let mesh: TwoNodes;
    let scene: Scene;
    let ear: BusListener;
    beforeEach(async () => {
      broker = await open();
      scene = openScene(broker.url);
      ear = await scene.ear();
      mesh = await openTwoNodes(broker, undefined, [WITH_CRIU, WITH_CRIU]);
      for (const { id } of mesh.nodes) await ear.next((one) => one.topic === `tritmesh/node/${id}/state`);
    });
    afterEach(async (context) => {
      if (context.task.result?.state === 'fail') {
        const story = ear.heard.filter(isStory).map((one) => `${one.topic} ${one.text.slice(0, 300)}`);
        process.stderr.write([...mesh.nodes.map((node) => node.output()), ...story, ''].join('\n'));
      }
      await mesh.end();
      await scene.end();
      await broker.close();
    });

    const nodeOf = (id: unknown): HostNode => {
      const found = mesh.nodes.find((node) => node.id === id);
      if (found === undefined) throw new Error(`no node ${String(id)}`);
      return found;
    };

    // A normal run spreads the programs over the brokers.
    const mine = counters.filter((_, at) => isLong || at % 2 === (name === 'Mosquitto' ? 1 : 0));

    it.each(mine)('a counter in $name moves back and forth as a job', { timeout: 240_000 }, async ({ argv }) => {
      const [owner] = mesh.nodes;
      const command = argv(LINES, 7, 10_000);
      const submitted = await owner.command([
        'run',
        '--no-wait',
        '--json',
        '--migrate',
        'checkpoint',
        '--',
        ...command,
      ]);
      expect(submitted.code, submitted.stderr).toBe(0);
      const { item } = JSON.parse(submitted.stdout) as { readonly item: string };
      let here = await runsWith(item, 0);
      for (let hop = 1; hop <= HOPS; hop += 1) {
        const asked = await owner.command(['migrate', item]);
        expect(asked.code, asked.stderr).toBe(0);
        const there = await runsWith(item, hop);
        expect(there).not.toBe(here);
        here = there;
      }
      const done = fields(await ear.next(isStatus(item, 'done', 'failed', 'lost')));
      expect(done).toMatchObject({ phase: 'done', exit_code: 7, hops: HOPS, attempts: 1 });
      const logs = await owner.command(['logs', item]);
      expect(findCountFault(logs.stdout, LINES)).toBeUndefined();
      expect(nodeOf(here).output()).not.toContain('error');
    });

    /** Waits until an item runs after this many moves; returns where. */
    async function runsWith(item: string, hops: number): Promise<unknown> {
      const status = await ear.next((one) => isStatus(item, 'running')(one) && fields(one)['hops'] === hops);
      return fields(status)['receiver'];
    }
  },
);

/** Whether a message is about items, except for their output. */
function isStory({ topic }: Heard): boolean {
  return /\/(response|request)\//.test(topic) || (topic.includes('/work/') && !topic.includes('/log/'));
}
