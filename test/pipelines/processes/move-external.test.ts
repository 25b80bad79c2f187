/** Moves of external processes: which nodes are asked, whose answer counts, and that nothing moves without a yes. */
import { describe, expect, it } from 'vitest';
import type { Checkpoint, DumpPreflight } from '../../../src/checkpoint/checkpoint.js';
import type { ProcessFacts } from '../../../src/core/processes/process-facts.js';
import type { ShedContext } from '../../../src/core/placement/shedding.js';
import { createFitChecks } from '../../../src/pipelines/processes/fit-check.js';
import type { NodeInput } from '../../../src/pipelines/inputs.js';
import { createExternalMoves } from '../../../src/pipelines/processes/move-external.js';
import type { ImageFacts } from '../../../src/protocol/image-facts.js';
import type { Response } from '../../../src/protocol/messages.js';
import type { Verb } from '../../../src/protocol/requests.js';
import { createInfo, createMember, createTable, meshRules } from '../../support/samples.js';
import { running as guestRunning } from '../../core/receiver/receiver-run.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

const ABILITIES = ['criu', 'cpu-x86-64-v2'];
const PROCESS: ProcessFacts = { pid: 700, ppid: 1, name: 'count', start: '77', command: ['/x/count'] };
const FACTS: ImageFacts = {
  v: 1,
  name: 'count',
  root: 700,
  pids: [700],
  shell_job: false,
  known_as: null,
  exe: '/x/count',
  mapped: [{ path: '/x/count', build_id: null, size: 1 }],
  cwd: '/',
  files: [],
  image_bytes: 80_000_000,
  cpu_s: 1,
  wall_ms: 60_000,
  criu: '',
};

interface Stage {
  readonly clock: ManualClock;
  /** Questions that were sent, by the node that is asked. */
  readonly asked: { readonly node: string; readonly verb: Verb; readonly body: Readonly<Record<string, unknown>> }[];
  readonly pushed: NodeInput[];
  readonly checked: ImageFacts[];
  take(input: NodeInput): void;
  /** A member answers the last question. */
  answer(node: string, change?: Partial<Response>): void;
}

interface Circumstances {
  readonly preflight?: DumpPreflight;
  readonly process?: ProcessFacts;
  /** Other processes of the machine. */
  readonly others?: readonly ProcessFacts[];
  readonly shedding?: Partial<ShedContext>;
  readonly accepts?: boolean;
  readonly restoreObstacles?: readonly string[];
  readonly journalFault?: string;
  readonly hasCheckpoint?: boolean;
  readonly guests?: Parameters<typeof createExternalMoves>[0]['guests'];
  /** Whether a question fits into a message. */
  readonly fitsMessage?: (facts: ImageFacts) => boolean;
}

function createStage(circumstances: Circumstances = {}): Stage {
  const { process = PROCESS, preflight = { obstacles: [], facts: FACTS } } = circumstances;
  const clock = createManualClock();
  const asked: Stage['asked'] = [];
  const pushed: NodeInput[] = [];
  const checked: ImageFacts[] = [];
  const push = (input: NodeInput): void => void pushed.push(input);
  const members = createTable(
    createMember('alpha', { trit: 1, load_ratio: 0.9 }, { abilities: ABILITIES }),
    createMember('beta', {}, { abilities: ABILITIES }),
    createMember('gamma', { projected_ratio: 0.12 }, { abilities: ABILITIES }),
    createMember('delta'),
  );
  const checkpoint: Pick<Checkpoint, 'identify' | 'preflightDump' | 'preflightRestore'> = {
    identify: () => new Map([process, ...(circumstances.others ?? [])].map((one) => [one.pid, one])),
    preflightDump: (_subject, done) => done(preflight),
    preflightRestore: (facts, _directory, done) => {
      checked.push(facts);
      done(circumstances.restoreObstacles ?? []);
    },
  };
  const used = circumstances.hasCheckpoint === false ? undefined : (checkpoint as Checkpoint);
  const checks = createFitChecks({
    self: 'alpha',
    boot: 3,
    clock,
    checkpoint: used,
    publisher: {
      request: (node, verb, body) => {
        const question = { ...body } as { readonly facts: ImageFacts };
        if (circumstances.fitsMessage?.(question.facts) === false) return false;
        asked.push({ node, verb, body: question });
        return true;
      },
    },
    guestDirectory: (owner) => `/guests/${owner}`,
    accepts: () => circumstances.accepts ?? true,
    push,
  });
  const moves = createExternalMoves(
    {
      self: 'alpha',
      pid: 50,
      brokerPort: 1883,
      info: createInfo({ abilities: ABILITIES }),
      members,
      mesh: () => meshRules,
      clock,
      checkpoint: used,
      guests: circumstances.guests ?? new Map(),
      imageDirectory: (item) => `/images/${item}`,
      isKnownItem: () => false,
      journalFault: () => circumstances.journalFault,
      belongsToRun: () => false,
      shedding: () => ({
        self: 'alpha',
        members,
        mesh: meshRules,
        moves: { projectedMax: 0.65, gainMin: 0.1, cooldownMs: 60_000, itemRestMs: 600_000 },
        now: clock.now(),
        trit: 1,
        loadRatio: 1.2,
        direction: 'shed',
        rebalance: 'pairs',
        lastMoveAt: Number.NEGATIVE_INFINITY,
        moving: false,
        excluded: [],
        paceTo: () => undefined,
        ...circumstances.shedding,
      }),
      paceTo: () => undefined,
      push,
    },
    checks,
  );
  const take = (input: NodeInput): void => {
    checks.handle(input);
    moves.handle(input);
  };
  return {
    clock,
    asked,
    pushed,
    checked,
    take,
    answer: (node, change = {}) => {
      const transaction = String(asked.at(-1)?.body['transaction']);
      const response: Response = { status: 'ok', data: {}, transaction, ...change };
      take({ type: 'FitHeard', node, response });
    },
  };
}

function request(to?: string): NodeInput {
  const named = to === undefined ? {} : { to };
  return {
    type: 'RequestHeard',
    request: { verb: 'migrate', pid: 700, transaction: 't1', ...named },
    signedBy: undefined,
  };
}

const moveWanted: NodeInput = { type: 'ProcessMoveWanted', pid: 700, start: '77', reason: 'this node is PLUS at 1.20' };

/** What was published or started, without irrelevant fields. */
function outcome({ pushed }: Stage): unknown[] {
  return pushed.map((input) => {
    if (input.type === 'ItemSubmitted') return { to: input.to, process: input.item.process, why: input.reason };
    if (input.type === 'RequestAnswered') return input.response.body;
    if (input.type === 'EventWanted') return input.event.body;
    return input;
  });
}

describe('a process that is to move', () => {
  it('goes to the best node where it fits, once no better one may still answer', () => {
    const stage = createStage();
    stage.take(request());
    expect(stage.asked.map(({ node, verb }) => `${verb} ${node}`)).toEqual(['fit beta', 'fit gamma']);
    stage.answer('gamma');
    expect(stage.pushed).toEqual([]);
    stage.answer('beta', { status: 'error', error: 'no /x/count' });
    expect(outcome(stage)).toMatchObject([
      { to: 'gamma', process: { pid: 700, start: '77' }, why: 'asked to move on request' },
      { status: 'ok', data: { from: 'alpha', to: 'gamma', image_bytes: 80_000_000, expected_ms: 4000 } },
    ]);
  });

  it('goes only to the node that was asked for', () => {
    const stage = createStage();
    stage.take(request('gamma'));
    expect(stage.asked.map(({ node }) => node)).toEqual(['gamma']);
    stage.answer('gamma', { status: 'error', error: 'no /x/count' });
    expect(outcome(stage)).toMatchObject([
      { status: 'error', error: 'no node takes process 700: gamma: no /x/count', transaction: 't1' },
    ]);
  });

  it('waits five seconds for silent nodes, and names them', () => {
    const stage = createStage();
    stage.take(request());
    stage.answer('gamma');
    stage.clock.pass(4999);
    expect(stage.pushed).toEqual([]);
    stage.clock.pass(1);
    expect(outcome(stage)[0]).toMatchObject({ to: 'gamma' });
    const silent = createStage();
    silent.take(request('beta'));
    silent.clock.pass(5000);
    expect(outcome(silent)).toMatchObject([{ error: 'no node takes process 700: beta: it did not answer within 5 s' }]);
  });

  it('ignores an answer of another node, to another question, or that comes twice or late', () => {
    const stage = createStage();
    stage.take(request('beta'));
    stage.answer('delta');
    stage.answer('beta', { transaction: 'fit-alpha-2-1' });
    stage.answer('beta', { transaction: undefined });
    expect(stage.pushed).toEqual([]);
    stage.answer('beta', { status: 'error', error: 'no room' });
    stage.answer('beta');
    expect(outcome(stage)).toMatchObject([{ error: 'no node takes process 700: beta: no room' }]);
  });

  it('leaves its libraries out of a question that is too large, and asks no node if that is not enough', () => {
    const stage = createStage({ fitsMessage: ({ mapped }) => mapped.every(({ path }) => path === '/x/count') });
    stage.take(request('beta'));
    expect(stage.asked).toHaveLength(1);
    const never = createStage({ fitsMessage: () => false });
    never.take(request('beta'));
    expect(outcome(never)).toMatchObject([
      { error: 'no node takes process 700: beta: its list of open files does not fit into a message' },
    ]);
  });

  it.each<[string, Circumstances, string]>([
    ['a broken journal', { journalFault: 'disk full' }, 'the journal cannot be written: disk full'],
    ['no criu', { hasCheckpoint: false }, 'this node cannot freeze a process'],
    ['no such process', { process: { ...PROCESS, pid: 701 } }, 'there is no process 700'],
    [
      'a protected process',
      { process: { ...PROCESS, name: 'sshd' } },
      'process 700 is never moved: sshd handles logins',
    ],
    [
      'a protected process in its container',
      {
        process: { ...PROCESS, container: 'c1' },
        others: [
          { pid: 701, ppid: 700, name: 'mosquitto', container: 'c1' },
          { pid: 702, ppid: 1, name: 'mosquitto' },
        ],
      },
      'process 700 is never moved: it is a broker (process 701 in its container)',
    ],
    [
      'an obstacle to the dump',
      { preflight: { obstacles: ['it uses io_uring', 'it has a terminal'], facts: FACTS } },
      'process 700 cannot be moved: it uses io_uring; it has a terminal',
    ],
    ['a process that is already an item', { guests: guestOf(700) }, 'process 700 is already item j1'],
  ])('%s is said before anybody is asked', (_title, circumstances, error) => {
    const stage = createStage(circumstances);
    stage.take(request());
    expect(outcome(stage)).toMatchObject([{ status: 'error', error }]);
    expect(stage.asked).toEqual([]);
  });

  it('is checked once at a time', () => {
    const stage = createStage();
    stage.take(request());
    stage.take(request());
    expect(outcome(stage)).toMatchObject([{ error: 'process 700 is already being checked for a move' }]);
  });
});

function guestOf(pid: number): Parameters<typeof createExternalMoves>[0]['guests'] {
  const { guest } = guestRunning({ migrate: 'checkpoint' });
  return new Map(guest === null ? [] : [['alpha/j1/1', { ...guest, process: { pid, start: '77' } }]]);
}

describe('a process that nobody asked to move', () => {
  it('moves if that pays', () => {
    const stage = createStage();
    stage.take(moveWanted);
    stage.answer('beta');
    expect(outcome(stage)).toMatchObject([{ to: 'beta', why: 'this node is PLUS at 1.20' }]);
  });

  it.each<[string, Partial<ShedContext>, ImageFacts, string]>([
    ['another move in progress', { moving: true }, FACTS, 'one move at a time: another one is under way'],
    ['a recent move', { lastMoveAt: 0 }, FACTS, 'this node moved something too recently'],
    [
      'a young process',
      {},
      { ...FACTS, wall_ms: 5000 },
      'moving it to beta does not pay: it takes about 4.0 s for 80 MB and gains 3.0 s (0.60 of load over the 5.0 s it may run on)',
    ],
    ['too little gain', { loadRatio: 0.62 }, FACTS, 'moving it to beta gains less than 0.1'],
  ])('%s: it stays, and an event says why', (_title, shedding, facts, why) => {
    const stage = createStage({ shedding, preflight: { obstacles: [], facts } });
    stage.take(moveWanted);
    expect(stage.asked).toEqual([]);
    expect(outcome(stage)).toEqual([
      {
        event_type: 'move_refused',
        pid: 700,
        reason: `process 700 is not moved: ${why} (wanted: this node is PLUS at 1.20)`,
      },
    ]);
  });

  it('is not offered to a node where moves made things worse', () => {
    const stage = createStage({ shedding: { excluded: ['beta'] } });
    stage.take(moveWanted);
    expect(stage.asked.map(({ node }) => node)).toEqual(['gamma']);
  });

  it('is not another process that has its pid now', () => {
    const stage = createStage();
    stage.take({ ...moveWanted, start: '78@boot' });
    expect(outcome(stage)).toMatchObject([{ event_type: 'move_refused' }]);
    expect(stage.asked).toEqual([]);
  });
});

describe('a question of another member', () => {
  const fit = (signedBy: string | undefined): NodeInput => ({
    type: 'RequestHeard',
    request: { verb: 'fit', facts: FACTS, transaction: 'q1' },
    signedBy,
  });

  it.each<[string, Circumstances, object]>([
    ['it fits', {}, { status: 'ok', transaction: 'q1' }],
    [
      'it does not',
      { restoreObstacles: ['no /x/count', 'no room'] },
      { status: 'error', error: 'no /x/count; no room' },
    ],
    [
      'it accepts no work',
      { accepts: false },
      { status: 'error', error: 'it accepts no work from beta', code: 'owner-not-accepted' },
    ],
    ['no criu', { hasCheckpoint: false }, { status: 'error', error: 'this node cannot restore a process' }],
  ])('is answered: %s', (_title, circumstances, response) => {
    const stage = createStage(circumstances);
    stage.take(fit('beta'));
    expect(outcome(stage)).toMatchObject([response]);
  });

  it('that is unsigned is not answered, and nothing is checked for it', () => {
    const stage = createStage();
    stage.take(fit(undefined));
    expect([stage.pushed, stage.checked]).toEqual([[], []]);
  });
});
