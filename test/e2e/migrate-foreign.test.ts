/**
 * External processes move between two hosts with their open files, which are written back. A process that cannot move
 * continues as before, and the reason is reported. Real nodes, a real broker, real criu.
 */
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCountFault, makeCounters } from '../support/counters.js';
import { canFreeze } from '../support/criu.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import { fields, isStatus, openScene, WITH_CRIU, type BusListener, type Scene } from '../support/programs.js';
import { openTwoNodes, type TwoNodes } from '../support/two-nodes.js';
import { canMakeHosts, PLACE } from '../support/two-hosts.js';

const { counters, directory } = makeCounters();
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const counter = counters.find(({ name }) => name === 'C');
const OUTPUT = `${PLACE}/count.out`;
const LINES = 3000;

describe
  .skipIf(!canFreeze || !canMakeHosts || counter === undefined)
  .each(BROKERS.filter(({ isThere }) => isThere).slice(0, 1))('on $name', ({ open }) => {
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
    // oxlint-disable-next-line no-console
    if (context.task.result?.state === 'fail') for (const node of mesh.nodes) console.error(node.output());
    await mesh.end();
    await scene.end();
    await broker.close();
  });

  it('a counter moves back and forth twice, and its file is written back', { timeout: 240_000 }, async () => {
    const [one] = mesh.nodes;
    const [program = '', ...args] = counter?.argv(LINES, 7, 10_000) ?? [];
    const pid = await one.host.start(program, args, OUTPUT);
    await grows();
    const asked = await one.command(['migrate', String(pid), '--to', 'two', '--json']);
    expect(asked.code, asked.stderr).toBe(0);
    const answer = JSON.parse(asked.stdout) as { readonly item: string };
    expect(answer).toMatchObject({ from: 'one', to: 'two' });
    const { item } = answer;
    expect(await runsAfter(item, 1)).toBe('two');
    // The original is ended only after the copy runs.
    while (isAlive(pid)) await sleep(50);
    const size = readOutput().length;
    for (const [hop, to] of [
      [2, 'one'],
      [3, 'two'],
      [4, 'one'],
    ] as const) {
      const moved = await one.command(['migrate', item, '--to', to]);
      expect(moved.code, moved.stderr).toBe(0);
      expect(await runsAfter(item, hop)).toBe(to);
    }
    // What it writes on the other host is not here yet.
    expect(readOutput().length).toBe(size);
    const done = fields(await ear.next(isStatus(item, 'done', 'failed', 'lost')));
    expect(done).toMatchObject({ phase: 'done', exit_code: 7, hops: 4 });
    expect(findCountFault(readOutput(), LINES)).toBeUndefined();
  });

  it('obstacles are reported, and the process continues', { timeout: 120_000 }, async () => {
    const [one, other] = mesh.nodes;
    const [program = '', ...args] = counter?.argv(100_000, 0, 10_000) ?? [];
    const own = `${PLACE}/count-here-only`;
    copyFileSync(program, one.host.path(own));
    one.host.run('chmod', '755', own);
    const pid = await one.host.start(own, args, OUTPUT);
    await grows();
    const refuse = async (what: number, ...more: readonly string[]): Promise<string> => {
      const { code, stderr } = await one.command(['migrate', String(what), ...more]);
      expect(code).not.toBe(0);
      return stderr;
    };
    expect(await refuse(pid)).toContain(`two: its program is missing: ${own}`);
    expect(await refuse(1)).toContain('pid 1 is never touched');
    expect(await refuse(999_999)).toContain('there is no process 999999');
    expect(await refuse(pid, '--to', 'nowhere')).toContain('nowhere');
    const terminal = await one.host.start('script', ['-qec', 'exec sleep 600', '/dev/null'], `${PLACE}/script.out`);
    expect(await refuse(await childOf(terminal))).toContain('terminal');
    const talks = `require('net').connect(${mesh.line.port}, '${mesh.two.here}', () => console.log('up')); setTimeout(() => {}, 6e5)`;
    const talker = await one.host.start(process.execPath, ['-e', talks], `${PLACE}/talk.out`);
    while (!readFileSync(one.host.path(`${PLACE}/talk.out`), 'utf8').includes('up')) await sleep(50);
    expect(await refuse(talker)).toContain('it has a TCP connection to');
    for (const still of [pid, terminal, talker]) expect(isAlive(still)).toBe(true);
    await grows();
    expect(ear.heard.some(({ topic }) => topic.startsWith('tritmesh/work/'))).toBe(false);
    expect(other.output()).not.toContain('error');
  });

  const readOutput = (): string => readFileSync(mesh.nodes[0].host.path(OUTPUT), 'utf8');

  /** Waits until the output has grown. */
  async function grows(): Promise<void> {
    const read = (): number => {
      try {
        return readOutput().length;
      } catch {
        return 0;
      }
    };
    const before = read();
    while (read() <= before) await sleep(20);
  }

  function isAlive(pid: number): boolean {
    try {
      return !mesh.nodes[0].host.run('ps', '-o', 'stat=', '-p', String(pid)).startsWith('Z');
    } catch {
      return false;
    }
  }

  async function childOf(pid: number): Promise<number> {
    for (;;) {
      try {
        return Number(mesh.nodes[0].host.run('pgrep', '-P', String(pid)).trim().split('\n')[0]);
      } catch {
        await sleep(50);
      }
    }
  }

  async function runsAfter(item: string, hops: number): Promise<unknown> {
    const status = await ear.next((one) => isStatus(item, 'running')(one) && fields(one)['hops'] === hops);
    return fields(status)['receiver'];
  }
});
