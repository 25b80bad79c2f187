/** The preflight of processes that tritmesh did not start: who is asked, whose answer counts, and that nothing moves without a yes. */
import { describe, expect, test } from 'vitest';
import type { Checkpoint, Inspection } from '../../src/checkpoint/checkpoint.js';
import type { ProcessFacts } from '../../src/core/process-facts.js';
import type { SheddingFacts } from '../../src/core/shedding.js';
import { createFitAsks } from '../../src/pipelines/fit-asks.js';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import { createPreflight } from '../../src/pipelines/preflight.js';
import type { ImageFacts } from '../../src/protocol/image-facts.js';
import type { Response } from '../../src/protocol/messages.js';
import type { Verb } from '../../src/protocol/requests.js';
import { createInfo, createMember, createView, meshRules } from '../core/samples.js';
import { running as guestRunning } from '../core/receiver/receiver-run.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

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
  readonly reviewed: ImageFacts[];
  take(input: NodeInput): void;
  /** A member answers the last question. */
  answer(node: string, change?: Partial<Response>): void;
}

interface Circumstances {
  readonly inspection?: Inspection;
  readonly process?: ProcessFacts;
  /** Others of the machine. */
  readonly others?: readonly ProcessFacts[];
  readonly shedding?: Partial<SheddingFacts>;
  readonly accepts?: boolean;
  readonly review?: readonly string[];
  readonly journalFault?: string;
  readonly hasCheckpoint?: boolean;
  readonly guests?: Parameters<typeof createPreflight>[0]['guests'];
  /** Whether a question finds its way into a message. */
  readonly fitsMessage?: (facts: ImageFacts) => boolean;
}

function createStage(circumstances: Circumstances = {}): Stage {
  const { process = PROCESS, inspection = { obstacles: [], facts: FACTS } } = circumstances;
  const clock = createManualClock();
  const asked: Stage['asked'] = [];
  const pushed: NodeInput[] = [];
  const reviewed: ImageFacts[] = [];
  const push = (input: NodeInput): void => void pushed.push(input);
  const view = createView(
    createMember('alpha', { trit: 1, load_ratio: 0.9 }, { abilities: ABILITIES }),
    createMember('beta', {}, { abilities: ABILITIES }),
    createMember('gamma', { projected_ratio: 0.12 }, { abilities: ABILITIES }),
    createMember('delta'),
  );
  const checkpoint: Pick<Checkpoint, 'identify' | 'inspect' | 'review'> = {
    identify: () => new Map([process, ...(circumstances.others ?? [])].map((one) => [one.pid, one])),
    inspect: (_subject, done) => done(inspection),
    review: (facts, _directory, done) => {
      reviewed.push(facts);
      done(circumstances.review ?? []);
    },
  };
  const used = circumstances.hasCheckpoint === false ? undefined : (checkpoint as Checkpoint);
  const asks = createFitAsks({
    self: 'alpha',
    boot: 3,
    clock,
    checkpoint: used,
    speaker: {
      ask: (node, verb, body) => {
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
  const preflight = createPreflight(
    {
      self: 'alpha',
      pid: 50,
      brokerPort: 1883,
      info: createInfo({ abilities: ABILITIES }),
      view,
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
        view,
        mesh: meshRules,
        moves: { projectedMax: 0.65, gainMin: 0.1, cooldownMs: 60_000, itemRestMs: 600_000 },
        now: clock.now(),
        trit: 1,
        loadRatio: 1.2,
        direction: 'shed',
        rebalance: 'pairs',
        lastMoveAt: Number.NEGATIVE_INFINITY,
        moving: false,
        leftAlone: [],
        paceTo: () => undefined,
        ...circumstances.shedding,
      }),
      paceTo: () => undefined,
      push,
    },
    asks,
  );
  const take = (input: NodeInput): void => {
    asks.take(input);
    preflight.take(input);
  };
  return {
    clock,
    asked,
    pushed,
    reviewed,
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

const wish: NodeInput = { type: 'ProcessMoveWanted', pid: 700, start: '77', reason: 'this node is PLUS at 1.20' };

/** What was said or begun, without what does not matter here. */
function outcome({ pushed }: Stage): unknown[] {
  return pushed.map((input) => {
    if (input.type === 'ItemSubmitted') return { to: input.to, process: input.item.process, why: input.reason };
    if (input.type === 'RequestAnswered') return input.response.body;
    if (input.type === 'EventWanted') return input.event.body;
    return input;
  });
}

describe('a process that is to move', () => {
  test('goes to the best that says it fits, once nobody before it may still say so', () => {
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

  test('goes nowhere but where it was sent', () => {
    const stage = createStage();
    stage.take(request('gamma'));
    expect(stage.asked.map(({ node }) => node)).toEqual(['gamma']);
    stage.answer('gamma', { status: 'error', error: 'no /x/count' });
    expect(outcome(stage)).toMatchObject([
      { status: 'error', error: 'no node takes process 700: gamma: no /x/count', transaction: 't1' },
    ]);
  });

  test('waits five seconds for those that are silent, and says so', () => {
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

  test('is not sent by an answer of a stranger, to another question, or that comes twice or late', () => {
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

  test('leaves its libraries out of a question that is too large, and asks nobody if that is not enough', () => {
    const stage = createStage({ fitsMessage: ({ mapped }) => mapped.every(({ path }) => path === '/x/count') });
    stage.take(request('beta'));
    expect(stage.asked).toHaveLength(1);
    const never = createStage({ fitsMessage: () => false });
    never.take(request('beta'));
    expect(outcome(never)).toMatchObject([
      { error: 'no node takes process 700: beta: what it has open does not fit into a message' },
    ]);
  });

  test.each<[string, Circumstances, string]>([
    ['a broken journal', { journalFault: 'disk full' }, 'the journal cannot be written: disk full'],
    ['no criu', { hasCheckpoint: false }, 'nothing here can freeze a process'],
    ['no such process', { process: { ...PROCESS, pid: 701 } }, 'there is no process 700'],
    ['the never-list', { process: { ...PROCESS, name: 'sshd' } }, 'process 700 is never moved: sshd lets people in'],
    [
      'the never-list, of another process of its container',
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
      'what stands in the way',
      { inspection: { obstacles: ['it uses io_uring', 'it has a terminal'], facts: FACTS } },
      'process 700 cannot be moved: it uses io_uring; it has a terminal',
    ],
    ['an item that it is already', { guests: guestOf(700) }, 'process 700 is item j1 already'],
  ])('%s is said before anybody is asked', (_title, circumstances, error) => {
    const stage = createStage(circumstances);
    stage.take(request());
    expect(outcome(stage)).toMatchObject([{ status: 'error', error }]);
    expect(stage.asked).toEqual([]);
  });

  test('is looked at once at a time', () => {
    const stage = createStage();
    stage.take(request());
    stage.take(request());
    expect(outcome(stage)).toMatchObject([{ error: 'process 700 is being looked at already' }]);
  });
});

function guestOf(pid: number): Parameters<typeof createPreflight>[0]['guests'] {
  const { guest } = guestRunning({ migrate: 'checkpoint' });
  return new Map(guest === null ? [] : [['alpha/j1/1', { ...guest, process: { pid, start: '77' } }]]);
}

describe('a process that nobody asked to move', () => {
  test('moves if that pays', () => {
    const stage = createStage();
    stage.take(wish);
    stage.answer('beta');
    expect(outcome(stage)).toMatchObject([{ to: 'beta', why: 'this node is PLUS at 1.20' }]);
  });

  test.each<[string, Partial<SheddingFacts>, ImageFacts, string]>([
    ['another move under way', { moving: true }, FACTS, 'one move at a time: another one is under way'],
    ['a move only just now', { lastMoveAt: 0 }, FACTS, 'this node moved something only just now'],
    [
      'a young process',
      {},
      { ...FACTS, wall_ms: 5000 },
      'moving it to beta does not pay: it takes about 4.0 s for 80 MB and gains 3.0 s (0.60 of load over the 5.0 s it may run on)',
    ],
    ['too little gain', { loadRatio: 0.62 }, FACTS, 'moving it to beta gains less than 0.1'],
  ])('%s: it stays, and an event says why', (_title, shedding, facts, why) => {
    const stage = createStage({ shedding, inspection: { obstacles: [], facts } });
    stage.take(wish);
    expect(stage.asked).toEqual([]);
    expect(outcome(stage)).toEqual([
      {
        event_type: 'move_refused',
        pid: 700,
        reason: `process 700 is not moved: ${why} (wanted: this node is PLUS at 1.20)`,
      },
    ]);
  });

  test('is offered to nobody where moves made things worse', () => {
    const stage = createStage({ shedding: { leftAlone: ['beta'] } });
    stage.take(wish);
    expect(stage.asked.map(({ node }) => node)).toEqual(['gamma']);
  });

  test('is not another one that has got its pid', () => {
    const stage = createStage();
    stage.take({ ...wish, start: '78@boot' });
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

  test.each<[string, Circumstances, object]>([
    ['it fits', {}, { status: 'ok', transaction: 'q1' }],
    ['it does not', { review: ['no /x/count', 'no room'] }, { status: 'error', error: 'no /x/count; no room' }],
    ['it works for nobody', { accepts: false }, { status: 'error', error: 'it accepts no work of beta' }],
    ['no criu', { hasCheckpoint: false }, { status: 'error', error: 'nothing here can restore a process' }],
  ])('is answered: %s', (_title, circumstances, response) => {
    const stage = createStage(circumstances);
    stage.take(fit('beta'));
    expect(outcome(stage)).toMatchObject([response]);
  });

  test('that nobody signed is not answered, and nothing is looked at for it', () => {
    const stage = createStage();
    stage.take(fit(undefined));
    expect([stage.pushed, stage.reviewed]).toEqual([[], []]);
  });
});
