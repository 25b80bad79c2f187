/**
 * Work that moves, sleeps and is cancelled, with the real programs: plain MQTT requests as a script would send them,
 * and the commands that do the same.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  type BusListener,
  type Heard,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

describe.each(BROKERS)('on $name', ({ isThere, open }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;

  beforeEach(async () => {
    broker = await open();
    scene = openScene(broker.url);
    ear = await scene.ear();
  });
  afterEach(async () => {
    await scene.end();
    await broker.close();
  });

  async function startNodes(senses: Readonly<Record<string, string>>): Promise<Record<string, NodeProcess>> {
    const nodes: Record<string, NodeProcess> = {};
    for (const [id, sense] of Object.entries(senses)) nodes[id] = await scene.node(id, sense);
    await allUp(ear, Object.keys(senses));
    return nodes;
  }

  async function submit(node: NodeProcess | undefined, args: readonly string[]): Promise<string> {
    if (node === undefined) throw new Error('no such node');
    const submitted = await scene.command(node, ['run', '--no-wait', '--json', ...args], node.stateDir);
    expect(submitted.code, submitted.stderr).toBe(0);
    return String((JSON.parse(submitted.stdout) as { item?: string }).item);
  }

  function runsOn(item: string, node: string): (message: Heard) => boolean {
    return (message) => isStatus(item, 'running')(message) && fields(message)['receiver'] === node;
  }

  it('moves a restartable item with its directory when a plain message requests it', async () => {
    const { alpha } = await startNodes({ alpha: 'fixed:0.5', beta: 'fixed:0.9' });
    // Every start adds a line to a file in the item's directory; the second start finds that of the first.
    const item = await submit(alpha, ['--migrate', 'restart', '--out', 'starts', '--', 'sh', '-c', COUNT_STARTS]);
    await ear.next(runsOn(item, 'alpha'));
    await ear.next((one) => one.topic.endsWith(`/${item}/log/alpha`) && one.text.includes('start 1'));
    await startNodes({ gamma: 'fixed:0.1' });
    await ear.publish('tritmesh/node/alpha/request/migrate', '{"select":"top","transaction":"m-1"}');
    const response = await ear.next((one) => one.topic === 'tritmesh/node/alpha/response/migrate');
    expect(fields(response)).toMatchObject({ status: 'ok', transaction: 'm-1', data: { item, from: 'alpha' } });
    const done = await ear.next(isStatus(item, 'done', 'failed', 'lost'));
    expect(fields(done)).toMatchObject({ phase: 'done', receiver: 'gamma', exit_code: 0, hops: 1 });
    expect(await readFile(join(alpha?.stateDir ?? '', 'items', item, 'stdout'), 'utf8')).toBe('start 2\n');
  });

  it('asks a cooperative item to save its state, and starts it again on the other node', async () => {
    const { alpha } = await startNodes({ alpha: 'fixed:0.5', beta: 'fixed:0.9' });
    const item = await submit(alpha, ['--migrate', 'cooperative', '--out', 'saved', '--', 'sh', '-c', SAVE_ON_USR1]);
    await ear.next(runsOn(item, 'alpha'));
    await ear.next((one) => one.topic.endsWith(`/${item}/log/alpha`) && one.text.includes('from nothing'));
    await startNodes({ gamma: 'fixed:0.1' });
    await ear.publish('tritmesh/node/alpha/request/migrate', item);
    const done = await ear.next(isStatus(item, 'done', 'failed', 'lost'));
    expect(fields(done)).toMatchObject({ phase: 'done', receiver: 'gamma', exit_code: 0, hops: 1 });
    expect(await readFile(join(alpha?.stateDir ?? '', 'items', item, 'stdout'), 'utf8')).toBe('from saved\n');
  });

  it('answers with the reason what cannot be moved', async () => {
    const { alpha } = await startNodes({ alpha: 'fixed:0.5', beta: 'fixed:0.1' });
    const item = await submit(alpha, ['--here', '--', 'sleep', '60']);
    await ear.next(runsOn(item, 'alpha'));
    await ear.publish('tritmesh/node/alpha/request/migrate', item);
    const refused = await ear.next((one) => one.topic === 'tritmesh/node/alpha/response/migrate');
    expect(fields(refused)).toMatchObject({ status: 'error' });
    expect(fields(refused)['error']).toContain('here only');
    const noItem = await scene.command(alpha as NodeProcess, ['migrate', '1']);
    expect(noItem.code).toBe(1);
    expect(noItem.stderr).toContain('process 1 is never moved: pid 1 is never touched');
    await ear.publish('tritmesh/node/alpha/request/cancel', item);
    const cancelled = await ear.next(isStatus(item, 'cancelled', 'done'));
    expect(fields(cancelled)).toMatchObject({ phase: 'cancelled' });
  });

  it('lets deferred work sleep until the sum is negative, and wakes no more items than there are slots', async () => {
    const { alpha } = await startNodes({ alpha: 'fixed:0.9', beta: 'fixed:0.1' });
    const items: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const deferred = await scene.command(alpha as NodeProcess, ['defer', '--json', '--', 'sleep', '0.5']);
      expect(deferred.code, deferred.stderr).toBe(0);
      items.push(String((JSON.parse(deferred.stdout) as { item?: string }).item));
    }
    await ear.next(isStatus(items[2] ?? '', 'deferred'));
    // The sum is 0: nothing wakes. Gamma, with one slot, makes it -1.
    await scene.node('gamma', 'fixed:0.1', { TRITMESH_SLOTS: '1' });
    const ends = await Promise.all(items.map((item) => ear.next(isStatus(item, 'done', 'failed', 'lost'))));
    expect(ends.map((end) => fields(end)['phase'])).toEqual(['done', 'done', 'done']);
    const woken = ear.heard.findIndex((one) => one.topic.endsWith(`/${items[0]}/offer`));
    const gammaUp = ear.heard.findIndex((one) => one.topic === 'tritmesh/node/gamma/state');
    expect(woken).toBeGreaterThan(gammaUp);
  });

  it('drains a node: it claims nothing, and restartable items leave it', async () => {
    const { alpha, beta } = await startNodes({ alpha: 'fixed:0.9', beta: 'fixed:0.1' });
    const item = await submit(alpha, ['--migrate', 'restart', '--', 'sh', '-c', COUNT_STARTS]);
    await ear.next(runsOn(item, 'beta'));
    await ear.next((one) => one.topic.endsWith(`/${item}/log/beta`) && one.text.includes('start 1'));
    await ear.publish('tritmesh/node/beta/set/drain', 'ON');
    await startNodes({ gamma: 'fixed:0.1' });
    const done = await ear.next(isStatus(item, 'done', 'failed', 'lost'));
    expect(fields(done)).toMatchObject({ phase: 'done', receiver: 'gamma' });
    const resumed = await scene.command(beta as NodeProcess, ['resume']);
    expect(resumed.code, resumed.stderr).toBe(0);
    await ear.next((one) => one.topic === 'tritmesh/node/beta/event' && one.text.includes('"OFF"'));
  });

  it('ends a running item and all its processes on cancel', async () => {
    const { alpha } = await startNodes({ alpha: 'fixed:0.9', beta: 'fixed:0.1' });
    const directory = await scene.directory();
    const job = `trap '' TERM; echo $$ > ${directory}/pid; while :; do sleep 0.2; done`;
    const item = await submit(alpha, ['--', 'sh', '-c', job]);
    await ear.next(runsOn(item, 'beta'));
    const cancelled = await scene.command(alpha as NodeProcess, ['cancel', item]);
    expect(cancelled.code, cancelled.stderr).toBe(0);
    await ear.next(isStatus(item, 'cancelled'));
    const pid = (await readFile(join(directory, 'pid'), 'utf8')).trim();
    expect(await isRunning(pid)).toBe(false);
  });
});

/** Whether a process runs. An ended one stays in the process table until its parent, here init, reaps it. */
async function isRunning(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

/** Continues from its saved state; without one it waits until it is asked to save. */
const SAVE_ON_USR1 = [
  "trap 'echo saved >saved; exit 0' USR1",
  'if [ -e saved ]; then echo from saved; exit 0; fi',
  'echo from nothing',
  'while :; do sleep 0.1; done',
].join('; ');

const COUNT_STARTS =
  'echo x >> starts; n=$(wc -l < starts | tr -d " "); echo "start $n"; [ "$n" = 1 ] && sleep 600; exit 0';
