/**
 * The version before and this one in one mesh, both ways round, on the brokers of both and on Mosquitto: jobs, commands, cancels and
 * moves go through. A node is replaced by the newer version in the middle of its work, and takes up what the older one left; the
 * other way round it refuses and says so. test/former-version.ts names the version before.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFailed, onTestFinished } from 'vitest';
import { formatPath, STATE_FORMAT } from '../../src/journal/state-format.js';
import { hasFormerVersion, makeFormerVersion, readFormerFormat } from '../former-version.js';
import { hasMosquitto, startMosquitto } from '../mosquitto.js';
import { listProcessesBelow } from '../processes-below.js';
import { openEmbedded } from './broker-processes.js';
import { takeTurns, type TestBroker } from './brokers.js';
import {
  allUp,
  fields,
  isStatus,
  MAIN,
  openScene,
  runProgram,
  upAfter,
  type Ear,
  type Heard,
  type NodeProcess,
  type Scene,
} from './programs.js';
import { hasFlock, submitWitness } from './witness.js';

const canRun = hasFormerVersion() && hasFlock();
const FORMER = canRun ? makeFormerVersion() : '';
/** Versions of one format read each other's directories; what is older than formats refuses in LevelDB's words. */
const isRefused = canRun && readFormerFormat() < STATE_FORMAT;
const REFUSAL =
  /a newer tritmesh keeps its journal in journal-2: start that one here|was written by tritmesh \S+ in format \d+, and/;

const VERSIONS = { former: FORMER, present: MAIN } as const;
type Version = keyof typeof VERSIONS;
/** Versions of owner and receiver. */
const PAIRS: readonly (readonly [Version, Version])[] = [
  ['former', 'present'],
  ['present', 'former'],
];
const BROKERS: readonly { readonly name: string; readonly isThere: boolean; open(): Promise<TestBroker> }[] = [
  { name: 'the embedded broker', isThere: true, open: () => openEmbedded() },
  { name: 'Mosquitto', isThere: hasMosquitto(), open: () => startMosquitto() },
  { name: 'the embedded broker of the version before', isThere: true, open: () => openEmbedded(FORMER) },
];
/** Both ways round on the first broker, one way on each of the others; with TRITMESH_TEST_LONG=1 both on all. */
function pairsOn(broker: string): typeof PAIRS {
  const index = BROKERS.findIndex((one) => one.name === broker);
  const isAll = index === 0 || process.env['TRITMESH_TEST_LONG'] === '1';
  return isAll ? PAIRS : PAIRS.filter((_, at) => at === index % PAIRS.length);
}
/** Who refused an item is left out for the length of an offer: short here. No lease ends while both are away. */
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
    let ear: Ear;
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

    it('say exit code 127 for a program that is not there', async () => {
      const ended = await scene.command(owner, ['run', '--', 'no-such-program-here'], undefined, VERSIONS[other]);
      expect(ended.code).toBe(127);
      expect(ended.stderr).toContain('no-such-program-here');
    });

    it('move a job by restart from the one to the other', async () => {
      // The owner runs it itself, and gives it to a node of the other version.
      const gamma = await scene.node('gamma', 'fixed:0.5', VARIABLES, { main: VERSIONS[one] });
      onTestFinished(() => gamma.kill());
      await allUp(ear, ['gamma']);
      const args = ['--migrate', 'restart', '--out', 'starts', '--', 'sh', '-c', COUNT_STARTS];
      await ear.say('tritmesh/node/beta/set/drain', 'ON');
      await ear.next((heard) => heard.topic.endsWith('beta/state') && heard.text.includes('"draining":true'));
      const item = await submit(scene, gamma, args, gamma.main);
      await ear.next(runsOn(item, 'gamma'));
      await ear.next((heard) => heard.topic.endsWith(`/${item}/log/gamma`) && heard.text.includes('start 1'));
      await ear.say('tritmesh/node/beta/set/drain', 'OFF');
      const moved = await scene.command(gamma, ['migrate', item, '--to', 'beta'], undefined, VERSIONS[other]);
      expect(moved.code, moved.stderr).toBe(0);
      const done = await ear.next(isStatus(item, ...ENDS));
      expect(fields(done)).toMatchObject({ phase: 'done', receiver: 'beta', exit_code: 0, hops: 1 });
      expect(readFileSync(join(gamma.stateDir, 'items', item, 'stdout'), 'utf8')).toBe('start 2\n');
    });
  });

  const onTurn = takeTurns(name, BROKERS);

  onTurn('takes up the owner of a running job: it ends once, and comes home', () =>
    upgrade(open, ['owner'], 'present', 'running'),
  );
  onTurn('takes up the receiver of a running job: it ends once, and comes home', () =>
    upgrade(open, ['receiver'], 'former', 'running'),
  );
  onTurn('takes up both at once, which were killed', () => upgrade(open, ['owner', 'receiver'], 'former', 'running'));
  onTurn('takes up the owner of a job that ended while it was away', () => upgrade(open, ['owner'], 'former', 'ended'));
  onTurn('takes up the receiver of a job that ended while it was away', () =>
    upgrade(open, ['receiver'], 'present', 'ended'),
  );
  onTurn('takes up an owner whose work waits for a receiver', async () => {
    const { scene, ear, owner } = await openBoth(open, ['former', 'present'], ['fixed:0.9', 'fixed:0.5']);
    const job = await submitWitness(scene, ear, owner, { retry: 'once' });
    await ear.next(isStatus(job.item, 'queued'));
    await replace(ear, owner);
    const gamma = await scene.node('gamma', 'fixed:0.1', VARIABLES, { main: FORMER });
    expect(await job.settled()).toMatchObject({ phase: 'done', receiver: gamma.id, attempts: 1, exit_code: 0 });
    expect(await job.record()).toEqual(['start', 'end']);
  });

  onTurn('touches nothing while a node of the version before runs there', async () => {
    const { scene, owner } = await openBoth(open, ['former', 'present']);
    const job = await submitWitness(scene, await scene.ear(), owner, { retry: 'once', waits: true });
    const args = ['node', '--id', 'late', '--broker', scene.broker, '--state-dir', owner.stateDir];
    const refused = await runProgram(process.execPath, [MAIN, ...args]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is in use by another process');
    for (const name of ['format', 'journal-2']) expect(existsSync(join(owner.stateDir, name))).toBe(!isRefused);
    await job.letGo();
    expect(await job.settled()).toMatchObject({ phase: 'done', attempts: 1 });
  });

  const back = isRefused ? 'refuses to go back with a sentence, touches nothing, and the newer goes on' : 'goes back';
  onTurn(back, async () => {
    const { scene, ear, owner, receiver } = await openBoth(open, ['present', 'present']);
    const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
    await ear.next(isStatus(job.item, 'running'));
    for (const node of [owner, receiver]) {
      await stop(node);
      if (isRefused) await expectRefusal(node);
      await restart(ear, node, isRefused ? MAIN : FORMER);
    }
    await job.letGo();
    expect(await job.settled()).toMatchObject({ phase: 'done', receiver: 'beta', attempts: 1, exit_code: 0 });
    expect(await job.record()).toEqual(['start', 'end']);
  });
});

describe('a state directory of a version to come', () => {
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

  it('is named by doctor', async () => {
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

interface Both {
  readonly scene: Scene;
  readonly ear: Ear;
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
  onTestFailed(() => {
    for (const node of [owner, receiver]) process.stderr.write(`--- ${node.id}\n${node.output()}\n`);
  });
  await allUp(ear, ['alpha', 'beta']);
  return { scene, ear, owner, receiver };
}

/** Replaces nodes of the version before in the middle of a job; those of `rest` are as they are. */
async function upgrade(
  open: () => Promise<TestBroker>,
  sides: readonly ('owner' | 'receiver')[],
  rest: Version,
  phase: 'running' | 'ended',
): Promise<void> {
  const version = (side: 'owner' | 'receiver'): Version => (sides.includes(side) ? 'former' : rest);
  const both = await openBoth(open, [version('owner'), version('receiver')]);
  const { scene, ear, owner, receiver } = both;
  const job = await submitWitness(scene, ear, owner, { retry: 'once', waits: true });
  await ear.next(isStatus(job.item, 'running'));
  await expect.poll(job.record, { timeout: 20_000 }).toEqual(['start']);
  // Both at once stands for a machine that lost them without a word.
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
  // What was taken up is written in this version's format, and its work was forgotten where it was settled.
  for (const side of sides) {
    expect(readFileSync(formatPath(both[side].stateDir), 'utf8')).toContain(`"format":${STATE_FORMAT}`);
  }
  const guests = join(receiver.stateDir, 'guests', 'alpha', job.item);
  await expect.poll(() => existsSync(guests) && readdirSync(guests).length > 0, { timeout: 20_000 }).toBe(false);
  // And it works on.
  const next = await scene.command(owner, ['run', '--', 'echo', 'next']);
  expect(next).toMatchObject({ code: 0, stdout: 'next\n' });
}

async function stop(node: NodeProcess): Promise<void> {
  node.signal('SIGTERM');
  expect(await node.ended()).toBe(0);
}

async function expectRefusal(node: NodeProcess): Promise<void> {
  const before = describeTree(node.stateDir);
  node.main = FORMER;
  await node.start();
  expect(await node.ended()).toBe(1);
  const [sentence, ...more] = node
    .output()
    .split('\n')
    .filter((line) => line.startsWith('tritmesh: '));
  expect(sentence).toMatch(REFUSAL);
  expect(more).toEqual([]);
  expect(describeTree(node.stateDir)).toEqual(before);
}

/** Starts a node that was stopped as this version, or as another. */
async function restart(ear: Ear, node: NodeProcess, main: string = MAIN): Promise<void> {
  const from = ear.heard.length;
  node.main = main;
  await node.start();
  await upAfter(ear, node.id, from);
}

async function replace(ear: Ear, node: NodeProcess): Promise<void> {
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

/** Everything below a directory with its content, without LevelDB's own log and lock, and without the sockets of anybody. */
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
