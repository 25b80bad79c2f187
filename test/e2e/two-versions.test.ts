/**
 * The previous version and this one in one mesh, in both roles, on the brokers of both and on Mosquitto: jobs,
 * commands, cancels and moves work. A node is upgraded in the middle of its work and resumes what an older version
 * left; a downgrade to a version that would damage it is refused with a reason. test/support/former-version.ts names
 * the versions.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatPath, STATE_FORMAT } from '../../src/journal/state-format.js';
import { hasEarlierVersions, makeEarlierVersion } from '../support/former-version.js';
import { hasMosquitto, startMosquitto } from '../support/mosquitto.js';
import { listProcessesBelow } from '../support/processes-below.js';
import { openEmbedded } from '../support/broker-processes.js';
import { takeTurns, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  MAIN,
  openScene,
  runProgram,
  upAfter,
  type BusListener,
  type Heard,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { hasFlock, submitWitness } from '../support/witness.js';
import { tellIfFailed } from '../support/story.js';

const canRun = hasEarlierVersions() && hasFlock();
const FORMER = canRun ? makeEarlierVersion('previous') : '';
const UNMARKED = canRun ? makeEarlierVersion('unmarked') : '';
const FORMAT_REFUSAL = /was written by tritmesh \S+ in format 3, and this is tritmesh \S+, which knows formats up to 2/;
const REFUSAL = /a newer tritmesh keeps its journal in journal-2: start that one here/;

const VERSIONS = { unmarked: UNMARKED, former: FORMER, present: MAIN } as const;
type Version = keyof typeof VERSIONS;
/** The versions of owner and receiver. */
const PAIRS: readonly (readonly [Version, Version])[] = [
  ['former', 'present'],
  ['present', 'former'],
];
const BROKERS: readonly { readonly name: string; readonly isThere: boolean; open(): Promise<TestBroker> }[] = [
  { name: 'the embedded broker', isThere: true, open: () => openEmbedded() },
  { name: 'Mosquitto', isThere: hasMosquitto(), open: () => startMosquitto() },
  { name: 'the embedded broker of the version before', isThere: true, open: () => openEmbedded(FORMER) },
];
/** Both combinations on the first broker, one on each of the others; with TRITMESH_TEST_LONG=1 both on all. */
function pairsOn(broker: string): typeof PAIRS {
  const index = BROKERS.findIndex((one) => one.name === broker);
  const isAll = index === 0 || process.env['TRITMESH_TEST_LONG'] === '1';
  return isAll ? PAIRS : PAIRS.filter((_, at) => at === index % PAIRS.length);
}
/**
 * A node that refused an item is excluded for the duration of an offer: short here. No lease ends while both are down.
 */
const VARIABLES = {
  TRITMESH_OFFERS_TTL_MS: '2000',
  TRITMESH_LEASE_LEASE_MS: '60000',
  TRITMESH_LEASE_MARGIN_MS: '30000',
};

const ENDS = ['done', 'failed', 'lost', 'cancelled'] as const;

describe.skipIf(!canRun).each(BROKERS)('on $name', ({ isThere, open, name }) => {
  if (!isThere) return it.skip('needs its broker', () => undefined);

  describe.each(pairsOn(name))('an owner of the %s and a receiver of the %s version', (one, other) => {
    let broker: TestBroker;
    let scene: Scene;
    let ear: BusListener;
    let owner: NodeProcess;
    let receiver: NodeProcess;

    beforeAll(async () => {
      broker = await open();
      scene = openScene(broker.url);
      ear = await scene.ear();
      owner = await scene.node('alpha', 'fixed:0.9', VARIABLES, { main: VERSIONS[one] });
      receiver = await scene.node('beta', 'fixed:0.1', VARIABLES, { main: VERSIONS[other] });
      await allUp(ear, ['alpha', 'beta']);
    });
    afterAll(async () => {
      await scene.end();
      await broker.close();
    });

    it('run a job with inputs, outputs, streams and exit code, by the commands of either version', async () => {
      for (const main of [VERSIONS[one], VERSIONS[other]]) {
        const home = await scene.directory();
        mkdirSync(join(home, 'data'));
        writeFileSync(join(home, 'data', 'words.txt'), 'one\ntwo\nthree\n');
        const args = ['run', '--in', 'data', '--out', 'made/*.txt', '--', 'sh', '-c', WORK];
        const ended = await scene.command(owner, args, home, main);
        expect(ended).toMatchObject({ code: 7, stdout: 'counted 3 on beta\n' });
        expect(ended.stderr).toContain('a word on stderr');
        expect(readFileSync(join(home, 'made', 'count.txt'), 'utf8')).toBe('3\n');
      }
    });

    it('understand the commands of either version', async () => {
      for (const main of [VERSIONS[one], VERSIONS[other]]) {
        const item = await submit(scene, owner, ['--', 'sleep', '600'], main);
        await ear.next(runsOn(item, 'beta'));
        const shown = await scene.command(owner, ['items', '--json'], undefined, main);
        expect(shown.code, shown.stderr).toBe(0);
        expect(shown.stdout).toContain(item);
        const status = await scene.command(receiver, ['status', '--json'], undefined, main);
        expect(status.code, status.stderr).toBe(0);
        for (const id of ['"alpha"', '"beta"']) expect(status.stdout).toContain(id);
        const cancelled = await scene.command(owner, ['cancel', item], undefined, main);
        expect(cancelled.code, cancelled.stderr).toBe(0);
        expect(fields(await ear.next(isStatus(item, ...ENDS)))).toMatchObject({ phase: 'cancelled', receiver: 'beta' });
      }
      await expect.poll(() => listProcessesBelow(join(receiver.stateDir, 'guests')), { timeout: 20_000 }).toEqual([]);
    });

    it('report exit code 127 for a program that does not exist', async () => {
      const ended = await scene.command(owner, ['run', '--', 'no-such-program-here'], undefined, VERSIONS[other]);
      expect(ended.code).toBe(127);
      expect(ended.stderr).toContain('no-such-program-here');
    });

    it('move a job by restart from one to the other', async () => {
      // The owner runs it itself, and moves it to a node of the other version.
      const gamma = await scene.node('gamma', 'fixed:0.5', VARIABLES, { main: VERSIONS[one] });
      onTestFinished(() => gamma.kill());
      await allUp(ear, ['gamma']);
      const args = ['--migrate', 'restart', '--out', 'starts', '--', 'sh', '-c', COUNT_STARTS];
      await ear.publish('tritmesh/node/beta/set/drain', 'ON');
      await ear.next((heard) => heard.topic.endsWith('beta/state') && heard.text.includes('"draining":true'));
      const item = await submit(scene, gamma, args, gamma.main);
      await ear.next(runsOn(item, 'gamma'));
      await ear.next((heard) => heard.topic.endsWith(`/${item}/log/gamma`) && heard.text.includes('start 1'));
      await ear.publish('tritmesh/node/beta/set/drain', 'OFF');
      const moved = await scene.command(gamma, ['migrate', item, '--to', 'beta'], undefined, VERSIONS[other]);
      expect(moved.code, moved.stderr).toBe(0);
      const done = await ear.next(isStatus(item, ...ENDS));
      expect(fields(done)).toMatchObject({ phase: 'done', receiver: 'beta', exit_code: 0, hops: 1 });
      expect(readFileSync(join(gamma.stateDir, 'items', item, 'stdout'), 'utf8')).toBe('start 2\n');
    });
  });

  const onTurn = takeTurns(name, BROKERS);

  onTurn('replaces the owner of a running job: the job ends once, and its result arrives', () =>
    upgrade(open, ['owner'], 'present', 'running'),
  );
  onTurn('replaces the receiver of a running job: the job ends once, and its result arrives', () =>
    upgrade(open, ['receiver'], 'former', 'running'),
  );
  onTurn('replaces both at once after they were killed', () =>
    upgrade(open, ['owner', 'receiver'], 'former', 'running'),
  );
  onTurn('replaces the owner of a job that ended while it was down', () => upgrade(open, ['owner'], 'former', 'ended'));
  onTurn('replaces the receiver of a job that ended while it was down', () =>
    upgrade(open, ['receiver'], 'present', 'ended'),
  );
  onTurn('replaces an owner whose work waits for a receiver', async () => {
    const { scene, ear, owner } = await openBoth(open, ['former', 'present'], ['fixed:0.9', 'fixed:0.5']);
    const job = await submitWitness(scene, ear, owner, { retry: 'once' });
    await ear.next(isStatus(job.item, 'queued'));
    await replace(ear, owner);
    const gamma = await scene.node('gamma', 'fixed:0.1', VARIABLES, { main: FORMER });
    expect(await job.settled()).toMatchObject({ phase: 'done', receiver: gamma.id, attempts: 1, exit_code: 0 });
    expect(await job.record()).toEqual(['start', 'end']);
  });

  onTurn('changes nothing while a node of the previous version runs there', async () => {
    const { scene, owner } = await openBoth(open, ['former', 'present']);
    const job = await submitWitness(scene, await scene.ear(), owner, { retry: 'once', waits: true });
    const args = ['node', '--id', 'late', '--broker', scene.broker, '--state-dir', owner.stateDir];
    const refused = await runProgram(process.execPath, [MAIN, ...args]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is in use by another process');
    await job.letGo();
    expect(await job.settled()).toMatchObject({ phase: 'done', attempts: 1 });
  });

  // It would not find the runs of a supervisor, and start them again.
  onTurn('is refused by the previous version in the middle of a job, and goes on', async () => {
    const both = await openBoth(open, ['present', 'present']);
    await restartDuringJob(both, async (node) => {
      await stop(node);
      await expectRefusal(node, FORMER, FORMAT_REFUSAL);
      await restart(both.ear, node);
    });
  });
});

describe.skipIf(!canRun)('a state directory without a format', () => {
  it('is resumed with its running job, by the owner and the receiver', () =>
    upgrade(openEmbedded, ['owner', 'receiver'], 'present', 'running', 'unmarked'));

  it('is not touched while its node runs there', async () => {
    const { owner } = await openBoth(openEmbedded, ['unmarked', 'present']);
    const args = ['node', '--id', 'late', '--broker', 'mqtt://127.0.0.1:1', '--state-dir', owner.stateDir];
    const refused = await runProgram(process.execPath, [MAIN, ...args]);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is in use by another process') as string,
    });
    for (const name of ['format', 'journal-2']) expect(existsSync(join(owner.stateDir, name))).toBe(false);
  });

  it('is what its version wants: it refuses a newer one with a sentence and touches nothing', async () => {
    const both = await openBoth(openEmbedded, ['present', 'present']);
    await restartDuringJob(both, async (node) => {
      await stop(node);
      await expectRefusal(node, UNMARKED, REFUSAL);
      await restart(both.ear, node);
    });
  });
});

describe('a state directory of a future version', () => {
  const SENTENCE =
    /was written by tritmesh 9\.9\.9 in format \d+, and this is tritmesh \S+, which knows formats up to \d+/;

  it.each([
    ['node', ['node', '--id', 'alpha', '--broker', 'mqtt://127.0.0.1:1']],
    ['up', ['up', '--id', 'alpha', '--port', '0']],
    ['broker', ['broker', '--port', '0']],
  ])('is refused by %s with a sentence, and nothing is touched', async (_name, args) => {
    const scene = openScene('mqtt://127.0.0.1:1');
    onTestFinished(() => scene.end());
    const stateDir = await scene.directory();
    writeFileSync(formatPath(stateDir), JSON.stringify({ format: STATE_FORMAT + 1, version: '9.9.9' }));
    mkdirSync(join(stateDir, 'journal-2'));
    const before = describeTree(stateDir);
    const ended = await runProgram(process.execPath, [MAIN, ...args, '--state-dir', stateDir]);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(SENTENCE);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    expect(describeTree(stateDir)).toEqual(before);
  });

  it('is reported by doctor', async () => {
    const scene = openScene('mqtt://127.0.0.1:1');
    onTestFinished(() => scene.end());
    const stateDir = await scene.directory();
    writeFileSync(formatPath(stateDir), JSON.stringify({ format: STATE_FORMAT + 1, version: '9.9.9' }));
    const args = ['doctor', '--broker', scene.broker, '--state-dir', stateDir, '--json'];
    const ended = await runProgram(process.execPath, [MAIN, ...args]);
    const findings = JSON.parse(ended.stdout) as readonly { readonly what: string; readonly verdict: string }[];
    expect(findings.find(({ what }) => what === 'state directory')).toMatchObject({
      verdict: 'broken',
      found: expect.stringMatching(SENTENCE) as string,
    });
  });
});

/** Replaces both nodes by `again` while a job runs; it must end once. */
async function restartDuringJob(
  { scene, ear, owner, receiver }: Both,
  again: (node: NodeProcess) => Promise<void>,
): Promise<void> {
  const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
  await ear.next(isStatus(job.item, 'running'));
  for (const node of [owner, receiver]) await again(node);
  await job.letGo();
  expect(await job.settled()).toMatchObject({ phase: 'done', receiver: 'beta', attempts: 1, exit_code: 0 });
  expect(await job.record()).toEqual(['start', 'end']);
}

interface Both {
  readonly scene: Scene;
  readonly ear: BusListener;
  readonly owner: NodeProcess;
  readonly receiver: NodeProcess;
}

async function openBoth(
  open: () => Promise<TestBroker>,
  [one, other]: readonly [Version, Version],
  senses: readonly [string, string] = ['fixed:0.9', 'fixed:0.1'],
): Promise<Both> {
  const broker = await open();
  onTestFinished(() => broker.close());
  const scene = openScene(broker.url);
  onTestFinished(() => scene.end());
  const ear = await scene.ear();
  const owner = await scene.node('alpha', senses[0], VARIABLES, { main: VERSIONS[one] });
  const receiver = await scene.node('beta', senses[1], VARIABLES, { main: VERSIONS[other] });
  tellIfFailed([owner, receiver], ear);
  await allUp(ear, ['alpha', 'beta']);
  return { scene, ear, owner, receiver };
}

/** Replaces nodes of an earlier version in the middle of a job; those in `rest` stay. */
async function upgrade(
  open: () => Promise<TestBroker>,
  sides: readonly ('owner' | 'receiver')[],
  rest: Version,
  phase: 'running' | 'ended',
  from: Version = 'former',
): Promise<void> {
  const version = (side: 'owner' | 'receiver'): Version => (sides.includes(side) ? from : rest);
  const both = await openBoth(open, [version('owner'), version('receiver')]);
  const { scene, ear, owner, receiver } = both;
  const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
  await ear.next(isStatus(job.item, 'running'));
  await expect.poll(job.record, { timeout: 20_000 }).toEqual(['start']);
  // Both at once simulates a machine that lost power.
  for (const side of sides) await (sides.length > 1 ? both[side].kill() : stop(both[side]));
  if (phase === 'ended') {
    await job.letGo();
    await expect.poll(job.record, { timeout: 20_000 }).toEqual(['start', 'end']);
  }
  for (const side of sides) await restart(ear, both[side]);
  expect(await job.record()).not.toContain('overlap');
  await job.letGo();
  expect(await job.settled()).toMatchObject({ phase: 'done', receiver: 'beta', attempts: 1, exit_code: 0 });
  expect(await job.record()).toEqual(['start', 'end']);
  const { found, made } = await job.output();
  expect(found.equals(made)).toBe(true);
  // The resumed state is written in this version's format, and settled guests are removed.
  for (const side of sides) {
    expect(readFileSync(formatPath(both[side].stateDir), 'utf8')).toContain(`"format":${STATE_FORMAT}`);
  }
  const guests = join(receiver.stateDir, 'guests', 'alpha', job.item);
  await expect.poll(() => existsSync(guests) && readdirSync(guests).length > 0, { timeout: 20_000 }).toBe(false);
  // And it still works.
  const next = await scene.command(owner, ['run', '--', 'echo', 'next']);
  expect(next).toMatchObject({ code: 0, stdout: 'next\n' });
}

async function stop(node: NodeProcess): Promise<void> {
  node.signal('SIGTERM');
  expect(await node.ended()).toBe(0);
}

async function expectRefusal(node: NodeProcess, main: string, words: RegExp): Promise<void> {
  const before = describeTree(node.stateDir);
  node.main = main;
  await node.start();
  expect(await node.ended()).toBe(1);
  const [sentence, ...more] = node
    .output()
    .split('\n')
    .filter((line) => line.startsWith('tritmesh: '));
  expect(sentence).toMatch(words);
  expect(more).toEqual([]);
  expect(describeTree(node.stateDir)).toEqual(before);
}

/** Starts a stopped node with this version, or another one. */
async function restart(ear: BusListener, node: NodeProcess, main: string = MAIN): Promise<void> {
  const from = ear.heard.length;
  node.main = main;
  await node.start();
  await upAfter(ear, node.id, from);
}

async function replace(ear: BusListener, node: NodeProcess): Promise<void> {
  await stop(node);
  await restart(ear, node);
}

async function submit(scene: Scene, node: NodeProcess, args: readonly string[], main: string): Promise<string> {
  const submitted = await scene.command(node, ['run', '--no-wait', '--json', ...args], node.stateDir, main);
  expect(submitted.code, submitted.stderr).toBe(0);
  return String((JSON.parse(submitted.stdout) as { item?: string }).item);
}

function runsOn(item: string, node: string): (message: Heard) => boolean {
  return (message) => isStatus(item, 'running')(message) && fields(message)['receiver'] === node;
}

/** The contents of all files below a directory, without LevelDB's own log and lock, and without sockets. */
function describeTree(directory: string): Readonly<Record<string, string>> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (path) => !/\/(?:LOG.*|LOCK)$/.test(path),
  );
  return Object.fromEntries(
    files.map((path) => {
      const stats = statSync(join(directory, path));
      if (!stats.isFile()) return [path, 'directory'];
      return [
        path,
        createHash('sha256')
          .update(readFileSync(join(directory, path)))
          .digest('hex'),
      ];
    }),
  );
}

const WORK =
  'echo a word on stderr >&2; mkdir made && wc -l < data/words.txt | tr -d " " > made/count.txt && echo "counted $(cat made/count.txt) on $TRITMESH_NODE" && exit 7';

const COUNT_STARTS =
  'echo x >> starts; n=$(wc -l < starts | tr -d " "); echo "start $n"; [ "$n" = 1 ] && sleep 600; exit 0';
