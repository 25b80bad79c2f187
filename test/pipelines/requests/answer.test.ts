/** Requests and their answers: each verb, and each refusal with its reason. */
import type { AcceptanceContext } from '../../../src/core/receiver/policy.js';
import { describe, expect, it } from 'vitest';
import { answerRequest, type AnswerDeps } from '../../../src/pipelines/requests/answer.js';
import type { NodeInput } from '../../../src/pipelines/inputs.js';
import type { Request } from '../../../src/protocol/requests.js';
import { acked, lost, restartable, running, submit, type OwnerRun } from '../../core/owner/owner-run.js';
import { running as guestRunning } from '../../core/receiver/receiver-run.js';
import { createItem, createMember, createTable, meshRules } from '../../support/samples.js';
import { createManualClock } from '../../support/manual-clock.js';

const GUEST = 'omega/g1/1';

const acceptance: AcceptanceContext = {
  self: 'alpha',
  accept: 'commands',
  acceptFrom: ['*'],
  accepting: true,
  draining: false,
  journalFault: undefined,
};

interface Answered {
  readonly response: Readonly<Record<string, unknown>>;
  readonly subject: string;
  readonly caused: readonly NodeInput[];
}

function guestOf(migrate: 'never' | 'restart'): AnswerDeps['guests'] {
  const { guest } = guestRunning({ migrate });
  return new Map(guest === null ? [] : [[GUEST, { ...guest, owner: 'omega', item: 'g1' }]]);
}

function createDeps(
  pushed: NodeInput[],
  items: readonly OwnerRun[] = [],
  change: Partial<AnswerDeps> = {},
): AnswerDeps {
  return {
    self: 'alpha',
    members: createTable(createMember('alpha', { trit: 1 }), createMember('beta'), createMember('gamma')),
    mesh: () => meshRules,
    clock: createManualClock(),
    items: new Map(items.map(({ state }) => [state.spec.id, state])),
    guests: guestOf('restart'),
    wasRetired: (item) => item === 'old',
    push: (input) => pushed.push(input),
    acceptance: () => acceptance,
    guestOfPid: (pid) => (pid === 7 ? GUEST : undefined),
    heaviestGuests: () => [GUEST],
    twins: { answer: () => ({ data: { id: 'alpha', version: '0.1.0' } }) },
    renaming: { wanted: undefined, answer: () => ({ error: 'not here' }) },
    ...change,
  };
}

function ask(
  request: Request,
  items: readonly OwnerRun[] = [],
  change: Partial<AnswerDeps> = {},
  signedBy: string | undefined = 'beta',
): Answered {
  const pushed: NodeInput[] = [];
  const deps = createDeps(pushed, items, change);
  answerRequest({ type: 'RequestHeard', request, signedBy }, deps);
  const answered = pushed.at(-1);
  if (answered?.type !== 'RequestAnswered') throw new Error('no answer');
  return { response: { ...answered.response.body }, subject: answered.subject, caused: pushed.slice(0, -1) };
}

describe('an answer', () => {
  it.each<[string, Request, readonly OwnerRun[], object, object]>([
    ['ping', { verb: 'ping' }, [], { id: 'alpha', version: '0.1.0' }, []],
    ['refresh', { verb: 'refresh' }, [], {}, [{ type: 'RefreshAsked' }]],
    [
      'drain',
      { verb: 'drain', value: 'ON' },
      [],
      { draining: true },
      [{ type: 'SetHeard', key: 'drain', value: 'ON' }],
    ],
    [
      'cancel',
      { verb: 'cancel', item: 'j1' },
      [running()],
      { item: 'j1', phase: 'running' },
      [{ input: { type: 'CancelAsked' } }],
    ],
    ['retry', { verb: 'retry', item: 'j1' }, [lost()], { item: 'j1' }, [{ input: { type: 'RetryAsked' } }]],
    ['run', { verb: 'run', item: createItem() }, [], { item: 'j1', known: false }, [{ type: 'ItemSubmitted' }]],
    [
      'run of an item that was forgotten a moment ago starts nothing',
      { verb: 'run', item: createItem({ id: 'old' }) },
      [],
      { item: 'old', known: true },
      [],
    ],
    [
      'run of a known item starts nothing',
      { verb: 'run', item: createItem() },
      [submit()],
      { item: 'j1', known: true },
      [],
    ],
    [
      'migrate',
      { verb: 'migrate', item: 'j1', to: 'gamma' },
      [running(restartable())],
      { item: 'j1', from: 'beta', receivers: ['gamma'] },
      [{ input: { type: 'MoveAsked', to: 'gamma' } }],
    ],
    [
      'migrate by process',
      { verb: 'migrate', pid: 7 },
      [],
      { item: 'g1', from: 'alpha', owner: 'omega' },
      [{ guest: GUEST, input: { type: 'VacateWanted' } }],
    ],
    ['migrate the top', { verb: 'migrate', select: 'top' }, [], { item: 'g1' }, [{ guest: GUEST }]],
  ])('%s', (_title, request, items, data, caused) => {
    const answered = ask(request, items);
    expect(answered.response).toMatchObject({ status: 'ok', data });
    expect(answered.caused).toMatchObject(caused);
  });

  it('echoes the transaction', () => {
    expect(ask({ verb: 'ping', transaction: 'x' }).response['transaction']).toBe('x');
    expect(ask({ verb: 'ping' }).response).not.toHaveProperty('transaction');
  });

  it.each<[string, Request, readonly OwnerRun[], string]>([
    ['run', { verb: 'run', item: createItem() }, [], 'item/j1'],
    ['cancel', { verb: 'cancel', item: 'j1' }, [running()], 'item/j1'],
    ['the top, which is an external process', { verb: 'migrate', item: 'j1' }, [running(restartable())], 'item/j1'],
    ['drain', { verb: 'drain', value: 'OFF' }, [], 'node'],
  ])('to %s stands behind the writes that it promises', (_title, request, items, subject) => {
    expect(ask(request, items).subject).toBe(subject);
  });

  it.each<[string, Partial<AcceptanceContext>, string]>([
    ['no owner is accepted', { accept: 'nothing' }, 'beta'],
    ['it accepts no work now', { accepting: false }, 'beta'],
    ['others are accepted', { acceptFrom: ['gamma'] }, 'beta'],
  ])('refuses the work of another member where %s, and takes its own', (_title, change, signedBy) => {
    const request: Request = { verb: 'run', item: createItem() };
    const deps = { acceptance: () => ({ ...acceptance, ...change }) };
    expect(ask(request, [], deps, signedBy)).toMatchObject({
      response: { error: `alpha accepts no work from ${signedBy}` },
      caused: [],
    });
    expect(ask(request, [], deps, 'alpha').response['status']).toBe('ok');
  });

  it('a repeated submission of a known item is answered as before, whatever is accepted by now', () => {
    const deps = { acceptance: () => ({ ...acceptance, accepting: false, journalFault: 'no space' }) };
    expect(ask({ verb: 'run', item: createItem() }, [submit()], deps)).toMatchObject({
      response: { status: 'ok', data: { item: 'j1', known: true } },
      caused: [],
    });
  });

  it('only this node itself may name a process', () => {
    const request: Request = { verb: 'run', item: createItem({ process: { pid: 7, start: '1' } }) };
    expect(ask(request, [], {}, 'alpha').response['status']).toBe('ok');
    expect(ask(request, [], {}, 'beta').response['error']).toContain('only alpha itself may name it');
  });

  it('only this node itself may name paths', () => {
    const request: Request = { verb: 'run', item: createItem({ inputs: ['/etc/passwd'] }) };
    expect(ask(request, [], {}, 'alpha').response['status']).toBe('ok');
    expect(ask(request, [], {}, 'beta').response['error']).toBe(
      'item.inputs and item.destination are paths on this machine: only alpha itself may name them',
    );
  });

  it('an item that a program of this machine submits counts as its own, and is confirmed behind its writes', () => {
    const pushed: NodeInput[] = [];
    const answers: (string | undefined)[] = [];
    const done = (refusal?: string): void => void answers.push(refusal);
    const item = createItem({ inputs: ['/etc/hosts'] });
    answerRequest({ type: 'SubmissionHeard', item, done }, createDeps(pushed));
    expect(pushed).toMatchObject([{ type: 'ItemSubmitted' }, { type: 'AfterAsked', subject: `item/${item.id}` }]);
    expect(answers).toEqual([]);
    const [, after] = pushed;
    if (after?.type === 'AfterAsked') after.done();
    expect(answers).toEqual([undefined]);
  });

  it('an item that a program of this machine submits again is confirmed again, and not taken again', () => {
    const pushed: NodeInput[] = [];
    answerRequest({ type: 'SubmissionHeard', item: createItem({ id: 'old' }), done: () => {} }, createDeps(pushed));
    expect(pushed).toMatchObject([{ type: 'AfterAsked', subject: 'item/old' }]);
  });

  it('an item that a program of this machine submits is refused with the reason', () => {
    const pushed: NodeInput[] = [];
    const answers: (string | undefined)[] = [];
    const deps = createDeps(pushed, [], { acceptance: () => ({ ...acceptance, journalFault: 'no space' }) });
    answerRequest({ type: 'SubmissionHeard', item: createItem(), done: (why) => void answers.push(why) }, deps);
    expect(answers).toEqual(['the journal cannot be written: no space']);
    expect(pushed).toEqual([]);
  });

  it('a refused request is answered with its reason', () => {
    const pushed: NodeInput[] = [];
    const deps = {
      self: 'alpha',
      push: (input: NodeInput) => pushed.push(input),
    } as Partial<AnswerDeps> as AnswerDeps;
    answerRequest({ type: 'RequestRefused', verb: 'run', reason: 'sig is missing', transaction: 'x' }, deps);
    const unknown = { verb: 'dance', reason: 'no such request: dance', code: 'no-such-request' } as const;
    answerRequest({ type: 'RequestRefused', ...unknown, transaction: undefined }, deps);
    expect(pushed).toMatchObject([
      { response: { topic: { verb: 'run' }, body: { status: 'error', error: 'sig is missing', transaction: 'x' } } },
      { response: { topic: { verb: 'dance' }, body: { status: 'error', error: unknown.reason, code: unknown.code } } },
    ]);
  });
});

describe('a request that cannot be fulfilled is answered with the reason', () => {
  const pinned = restartable({ need: { cpus: 1, labels: ['gpu'], abilities: [] } });
  it.each<[Request, readonly OwnerRun[], Partial<AnswerDeps>, string]>([
    [{ verb: 'cancel', item: 'j9' }, [], {}, 'no such item here: j9'],
    [{ verb: 'cancel', item: 'g1' }, [], {}, 'item g1 runs here but belongs to omega: ask omega'],
    [
      { verb: 'cancel', item: 'j1' },
      [{ ...submit(), state: { ...submit().state, phase: 'done' } }],
      {},
      'item j1 has ended already (done)',
    ],
    [{ verb: 'retry', item: 'j1' }, [running()], {}, 'item j1 is running, only a lost item can be retried'],
    [
      { verb: 'run', item: createItem() },
      [],
      { acceptance: () => ({ ...acceptance, journalFault: 'no space' }) },
      'the journal cannot be written: no space',
    ],
    [
      { verb: 'migrate', item: 'j1' },
      [acked()],
      {},
      'item j1 cannot be moved: it has started and was submitted with migrate: never',
    ],
    [{ verb: 'migrate', item: 'j1', to: 'beta' }, [acked(restartable())], {}, 'item j1 is at beta already'],
    [{ verb: 'migrate', item: 'j9' }, [], {}, 'no such item here: j9'],
    [
      { verb: 'migrate', item: 'j1' },
      [acked(pinned)],
      {},
      'no receiver for j1: alpha: it lacks the label gpu; beta: it refused or gave up the item before; gamma: it lacks the label gpu',
    ],
    [
      { verb: 'migrate', item: 'j1' },
      [acked(restartable())],
      { members: createTable() },
      'no receiver for j1: no member is known',
    ],
    [
      { verb: 'migrate', pid: 7, to: 'beta' },
      [],
      {},
      'item g1 belongs to omega: only its owner chooses where to; ask omega',
    ],
    [
      { verb: 'migrate', pid: 7 },
      [],
      { guests: guestOf('never') },
      'item g1 cannot be moved: it has started and was submitted with migrate: never',
    ],
    [
      { verb: 'migrate', select: 'top' },
      [],
      { guests: guestOf('never') },
      'nothing can be moved: g1: it has started and was submitted with migrate: never',
    ],
    [
      { verb: 'migrate', select: 'top' },
      [],
      { heaviestGuests: () => [] },
      'nothing that tritmesh started runs or waits here',
    ],
  ])('%j', (request, items, change, error) => {
    const answered = ask(request, items, change);
    expect(answered.response).toMatchObject({ status: 'error', error });
    expect(answered.caused).toEqual([]);
  });
});
