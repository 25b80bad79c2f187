/**
 * Containers move between two nodes on this machine, each with its own podman storage: real nodes, a real broker, real
 * podman. A container counts in its log, so at the end it must have counted without a gap, in one place.
 */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canMoveContainers, createPodmanHost, isContainerAlive, type PodmanHost } from '../container/podman-host.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  WITH_CRIU,
  upAfter,
  type BusListener,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';

const isLong = process.env['TRITMESH_TEST_LONG'] === '1';

/** Steps at which a node is killed, and which one: 0 has the original and owns its item, 1 gets the copy. */
const STEPS: readonly (readonly [step: string, at: 0 | 1])[] = [
  ['receiver:persisted-thawing', 1],
  ['owner:persisted-committed', 0],
  ['receiver:freezing', 0],
  ['receiver:thawed', 1],
  ['receiver:persisted-freezing', 0],
  ['receiver:persisted-frozen', 0],
  ['receiver:persisted-prepared', 1],
  ['owner:persist-committed', 0],
  ['owner:said-lease-continue', 0],
  ['owner:said-lease-settled', 0],
  ['receiver:stop', 0],
];
const NORMAL = 3;

/** Stands before the real podman: what it restores fails when it is told so. */
const BREAKABLE = `#!/bin/sh
case "$*" in
  *restore*--import*) [ ! -e "$0.broken" ] || { echo 'Error: it is broken' >&2; exit 125; } ;;
esac
PATH=\${PATH#*:} exec podman "$@"
`;

const [firstBroker] = BROKERS;

describe.skipIf(!canMoveContainers || firstBroker === undefined)('containers', () => {
  let root: string;
  let one: PodmanHost;
  let two: PodmanHost;
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let nodes: readonly [NodeProcess, NodeProcess];

  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-podman-')));
    one = createPodmanHost(join(root, 'one'));
    two = createPodmanHost(join(root, 'two'), one);
    mkdirSync(join(root, 'bin'));
    writeFileSync(join(root, 'bin/podman'), BREAKABLE);
    chmodSync(join(root, 'bin/podman'), 0o755);
  });
  afterAll(() => {
    for (const host of [one, two]) host.clear();
    rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  });
  beforeEach(async () => {
    broker = (await firstBroker?.open()) as TestBroker;
    scene = openScene(broker.url);
    ear = await scene.ear();
    rmSync(join(root, 'bin/podman.broken'), { force: true });
  });
  afterEach(async (context) => {
    // oxlint-disable-next-line no-console
    if (context.task.result?.state === 'fail') for (const node of nodes) console.error(node.output());
    await scene.end();
    await broker.close();
    for (const host of [one, two]) host.podman('rm', '-f', '-a', '-t', '0');
  });

  async function openNodes(stop?: readonly [step: string, at: 0 | 1]): Promise<void> {
    const variables = (host: PodmanHost, at: 0 | 1): Record<string, string> => ({
      ...WITH_CRIU,
      ...host.variables,
      ...(stop?.[1] === at ? { TRITMESH_STOP_AT: stop[0] } : {}),
    });
    nodes = [
      await scene.node('one', 'fixed:0.1', variables(one, 0)),
      await scene.node('two', 'fixed:0.1', {
        ...variables(two, 1),
        PATH: `${join(root, 'bin')}:${process.env['PATH'] ?? ''}`,
      }),
    ];
    await allUp(ear, ['one', 'two']);
  }

  async function migrate(pid: number | string, ...more: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await scene.command(nodes[0], ['migrate', String(pid), '--json', ...more]);
    expect(code, stderr).toBe(0);
    return String((JSON.parse(stdout) as { readonly item?: string }).item);
  }

  async function refuse(pid: number, ...more: readonly string[]): Promise<string> {
    const { code, stderr } = await scene.command(nodes[0], ['migrate', String(pid), ...more]);
    expect(code).not.toBe(0);
    return stderr;
  }

  const runsAfter = async (item: string, hops: number): Promise<unknown> => {
    const fits = (message: Parameters<ReturnType<typeof isStatus>>[0]): boolean =>
      isStatus(item, 'running')(message) && fields(message)['hops'] === hops;
    return fields(await ear.next(fits))['receiver'];
  };

  /** It continues to count where it should, and exists nowhere else. */
  async function expectOnlyAt(host: PodmanHost, name: string): Promise<void> {
    const other = host === one ? two : one;
    await expect.poll(() => other.podman('ps', '-a', '-q').trim(), { timeout: 120_000 }).toBe('');
    await host.awaitCount(name, host.counted(name).length + 5);
    const counts = host.counted(name);
    expect(counts).toEqual(counts.map((_count, index) => index));
  }

  it(
    'move to and fro by the pid of a process in them, and their exit code comes home',
    { timeout: 300_000 },
    async () => {
      await openNodes();
      const info = fields(await ear.next(({ topic }) => topic === 'tritmesh/node/two/info'));
      expect(info['abilities']).toEqual(expect.arrayContaining(['podman', 'podman-4']));
      const { id, pid } = one.count('wanderer');
      await one.awaitCount('wanderer', 3);
      const item = await migrate(pid, '--to', 'two');
      expect(await runsAfter(item, 1)).toBe('two');
      await expectOnlyAt(two, 'wanderer');
      await migrate(item, '--to', 'one');
      expect(await runsAfter(item, 2)).toBe('one');
      await expectOnlyAt(one, 'wanderer');
      one.podman('kill', '-s', 'USR1', 'wanderer');
      const done = fields(await ear.next(isStatus(item, 'done', 'failed', 'lost')));
      expect(done).toMatchObject({ phase: 'done', exit_code: 5, hops: 2 });
      expect(isContainerAlive(id)).toBe(false);
    },
  );

  it('that cannot move report why, and continue', { timeout: 300_000 }, async () => {
    await openNodes();
    const plain = one.count('plain');
    const bound = one.count('bound', '-v', `${root}:/mnt`);
    const eager = one.count('eager', '--restart', 'always');
    const brief = one.count('brief', '--rm');
    const taken = two.count('plain');
    expect(await refuse(plain.pid)).toContain('two: podman has a container plain here already');
    expect(await refuse(bound.pid)).toContain('what its container has at /mnt would stay here (a bind)');
    expect(await refuse(eager.pid)).toContain('podman would start its container again by itself (--restart always)');
    expect(await refuse(brief.pid)).toContain('podman would remove the stopped original of its container (--rm)');
    two.podman('rm', '-f', '-t', '0', taken.id);
    two.podman('rmi', '-a', '-f');
    try {
      expect(await refuse(plain.pid)).toContain('two: its container image is not here: localhost/tritmesh-count:1');
    } finally {
      two.addImageOf(one);
    }
    for (const { id } of [plain, bound, eager, brief]) expect(isContainerAlive(id)).toBe(true);
  });

  it('that podman cannot restore after the commitment continue where they were', { timeout: 300_000 }, async () => {
    await openNodes();
    const { pid } = one.count('faithful');
    await one.awaitCount('faithful', 3);
    writeFileSync(join(root, 'bin/podman.broken'), '');
    const item = await migrate(pid);
    const end = fields(await ear.next(isStatus(item, 'done', 'failed', 'lost')));
    expect(end).toMatchObject({ phase: 'failed', reason: expect.stringContaining('podman: it is broken') });
    expect(ear.heard.some(({ topic, text }) => topic.endsWith('/lease') && text.includes('"order":"continue"'))).toBe(
      true,
    );
    await expectOnlyAt(one, 'faithful');
  });

  it.each(isLong ? STEPS : STEPS.slice(0, NORMAL))(
    'at %s a node dies: at the end one counts on',
    { timeout: 300_000 },
    async (step, at) => {
      await openNodes([step, at]);
      const { pid } = one.count('survivor');
      await one.awaitCount('survivor', 3);
      const asked = scene.command(nodes[0], ['migrate', String(pid), '--json']);
      expect(await nodes[at].ended()).toBe('SIGKILL');
      const before = ear.heard.length;
      await nodes[at].start({ ...WITH_CRIU, ...[one, two][at]?.variables, PATH: process.env['PATH'] ?? '' });
      await upAfter(ear, nodes[at].id, before);
      await asked;
      const status = await ear.next(
        (message) =>
          ear.heard.lastIndexOf(message) >= before &&
          /\/work\/one\/[^/]+\/status$/.test(message.topic) &&
          message.text !== '' &&
          (['failed', 'lost'].includes(String(fields(message)['phase'])) ||
            (fields(message)['phase'] === 'running' && fields(message)['hops'] === 1)),
      );
      expect(fields(status)['phase'], String(fields(status)['reason'])).not.toBe('lost');
      await expectOnlyAt(fields(status)['phase'] === 'running' ? two : one, 'survivor');
    },
  );
});
