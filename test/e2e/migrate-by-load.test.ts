/**
 * A machine that becomes PLUS through real work moves its heaviest job away, unasked, and falls below 0.8. Two nodes on
 * this machine, each of which senses only its own jobs; burners that use a share of a core. All settings are defaults,
 * except for how long a change of the load must hold.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requirement } from '../support/requirements.js';
import { findCountFault, isThere } from '../support/counters.js';
import { canFreeze } from '../support/criu.js';
import { BROKERS, type TestBroker } from '../support/brokers.js';
import {
  allUp,
  fields,
  isStatus,
  openScene,
  WITH_CRIU,
  type BusListener,
  type Heard,
  type NodeProcess,
  type Scene,
} from '../support/programs.js';
import { tellStory } from '../support/story.js';

const hasGcc = requirement('gcc', isThere('gcc', '--version'), 'apt-get install gcc');
const hasProc = requirement('/proc', process.platform === 'linux', 'run on Linux');
const directory = mkdtempSync(join(tmpdir(), 'tritmesh-burn-'));
const program = join(directory, 'burn');
if (hasGcc) execFileSync('gcc', ['-O1', '-o', program, fileURLToPath(new URL('../fixtures/burn.c', import.meta.url))]);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/**
 * Shares of a core, in microseconds of each tenth of a second. Together more than alpha's cpus; the light one alone far
 * less.
 */
const HEAVY: Share = [80_000, 20_000];
const LIGHT: Share = [15_000, 85_000];
type Share = readonly [burnUs: number, restUs: number];

const SENSES: Readonly<Record<string, string>> = {
  TRITMESH_SENSE_LOAD_EVERY_MS: '500',
  TRITMESH_SENSE_PROCESSES_EVERY_MS: '1000',
  TRITMESH_TRIT_PLUS_HOLD_MS: '1000',
  TRITMESH_SLOTS: '4',
  // Throttled on the way up, the burners would never make it PLUS.
  TRITMESH_SCUM_THROTTLE: 'off',
};
const CPUS = 0.7;
const PLUS_ABOVE = 0.8;
const SCUM_ABOVE = 0.35;
const PATIENT_MS = 180_000;

describe.skipIf(!hasGcc || !hasProc)('a node that becomes PLUS by its work', () => {
  let broker: TestBroker;
  let scene: Scene;
  let ear: BusListener;
  let nodes: NodeProcess[];
  let books: string[];
  beforeEach(async () => {
    const [first] = BROKERS;
    if (first === undefined) throw new Error('no broker');
    broker = await first.open();
    scene = openScene(broker.url);
    ear = await scene.ear();
    nodes = [];
    books = [];
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') tellStory(nodes, ear);
    // A burner outlives its node by a lease, and would go on writing into directories that are removed here.
    for (const book of books) for (const word of ['go', 'end']) await mkdir(join(book, word), { recursive: true });
    await scene.end();
    await broker.close();
  });

  async function start(id: string, cpus: number): Promise<NodeProcess> {
    const node = await scene.node(id, 'tree:jobs', { ...WITH_CRIU, ...SENSES, TRITMESH_CPUS: String(cpus) });
    nodes.push(node);
    await allUp(ear, [id]);
    return node;
  }

  /** Submits a burner, which waits for `go` in its directory; resolves when it has started on alpha. */
  async function submit(alpha: NodeProcess, migrate: string, name: string, share: Share): Promise<Burning> {
    const book = await scene.directory();
    books.push(book);
    const flags = ['--no-wait', '--json', '--migrate', migrate, '--cpus', '0.1', '--name', name];
    const command = [program, book, '7', ...share.map(String)];
    const submitted = await scene.command(alpha, ['run', ...flags, '--', ...command]);
    expect(submitted.code, submitted.stderr).toBe(0);
    const { item } = JSON.parse(submitted.stdout) as { readonly item: string };
    await ear.next((one) => isStatus(item, 'running')(one) && fields(one)['receiver'] === 'alpha');
    await expect.poll(() => readdirSync(book), { timeout: PATIENT_MS }).toContain('start-1');
    return { item, book };
  }

  it.each([...(canFreeze ? [{ migrate: 'checkpoint', starts: 1 }] : []), { migrate: 'restart', starts: 2 }])(
    'sheds the heaviest by $migrate',
    { timeout: PATIENT_MS },
    async ({ migrate, starts }) => {
      const alpha = await start('alpha', CPUS);
      const light = await submit(alpha, migrate, 'light', LIGHT);
      const heavy = await submit(alpha, migrate, 'heavy', HEAVY);
      await start('beta', 4);
      await ear.next((one) => isTold(one, 'beta', 'trit') && one.text === '-1');
      const idle = ear.heard.length;
      for (const { book } of [light, heavy]) await mkdir(join(book, 'go'));

      // It reports the heaviest job and that it is PLUS, and moves that job.
      const scum = await ear.next(
        (one) => after(idle)(one) && isTold(one, 'alpha', 'scum') && fields(one)['count'] !== 0,
      );
      const [top] = fields(scum)['items'] as readonly Record<string, unknown>[];
      expect(top).toMatchObject({ name: 'burn', item: heavy.item, movable: true });
      expect(top?.['score']).toBeGreaterThan(SCUM_ABOVE);
      const plus = await ear.next(
        (one) => after(idle)(one) && isTold(one, 'alpha', 'state') && fields(one)['trit'] === 1,
      );
      expect(fields(plus)['load_ratio']).toBeGreaterThan(PLUS_ABOVE);
      await ear.next((one) => after(idle)(one) && isTold(one, 'alpha', 'trit') && one.text === '1');
      const moved = await ear.next((one) => isEvent(one, 'item_moved'));
      expect(fields(moved)).toMatchObject({ item: heavy.item, from: 'alpha' });
      expect(reasonRatio(fields(moved)['reason'])).toBeGreaterThan(PLUS_ABOVE);
      await ear.next((one) => isStatus(heavy.item, 'running')(one) && fields(one)['receiver'] === 'beta');

      // Alpha is not overloaded any more, and the other node took the job without becoming overloaded.
      const since = ear.heard.length;
      const relieved = await ear.next(
        (one) => after(since)(one) && isTold(one, 'alpha', 'state') && fields(one)['trit'] !== 1,
      );
      expect(fields(relieved)['load_ratio']).toBeLessThan(PLUS_ABOVE);
      await grows(heavy.book, starts);
      const busy = await ear.next(
        (one) => after(since)(one) && isTold(one, 'beta', 'state') && Number(fields(one)['load_ratio']) > 0.1,
      );
      expect(fields(busy)).toMatchObject({ trit: -1, guests: 1 });

      for (const { book } of [light, heavy]) await mkdir(join(book, 'end'));
      await expectEnd(alpha, light, { receiver: 'alpha', hops: 0 }, 1);
      await expectEnd(alpha, heavy, { receiver: 'beta', hops: 1 }, starts);
      expect(ear.heard.filter((one) => isEvent(one, 'item_moved'))).toHaveLength(1);
      expect(ear.heard.some(({ topic }) => topic.includes('/request/migrate'))).toBe(false);
    },
  );

  /** Later than the first `count` messages. */
  function after(count: number): (one: Heard) => boolean {
    return (one) => ear.heard.lastIndexOf(one) >= count;
  }

  /** It ended as expected, was started this often, and counted nothing twice or in two places at once. */
  async function expectEnd(
    alpha: NodeProcess,
    { item, book }: Burning,
    what: Readonly<Record<string, unknown>>,
    starts: number,
  ): Promise<void> {
    const end = fields(await ear.next(isStatus(item, 'done', 'failed', 'lost', 'cancelled')));
    expect(end).toMatchObject({ phase: 'done', exit_code: 7, attempts: 1, ...what });
    const noted = readdirSync(book);
    expect(noted.filter((name) => /^(twice|overlap)/.test(name))).toEqual([]);
    expect(noted.filter((name) => name.startsWith('start-'))).toHaveLength(starts);
    const lines = noted.filter((name) => name.startsWith(`${starts}-`)).length;
    const { stdout } = await scene.command(alpha, ['logs', item]);
    expect(findCountFault(stdout, lines)).toBeUndefined();
  }
});

interface Burning {
  readonly item: string;
  readonly book: string;
}

/** Waits until a start of a burner has counted further. */
async function grows(book: string, start: number): Promise<void> {
  const count = (): number => readdirSync(book).filter((name) => name.startsWith(`${start}-`)).length;
  const before = count();
  await expect.poll(count, { timeout: PATIENT_MS }).toBeGreaterThan(before);
}

function isTold({ topic }: Heard, id: string, what: 'state' | 'scum' | 'trit'): boolean {
  return topic === `tritmesh/node/${id}/${what}`;
}

function isEvent(one: Heard, type: string): boolean {
  return one.topic.endsWith('/event') && fields(one)['event_type'] === type;
}

/** The load in the reason of a move. */
function reasonRatio(reason: unknown): number {
  return Number(/this node is PLUS at (\d+\.\d+)/.exec(String(reason))?.[1]);
}
