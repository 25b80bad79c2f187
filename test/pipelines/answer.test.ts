/** Requests and their answers: each verb, each refusal with its sentence. */
import { describe, expect, test } from 'vitest';
import { answerRequest, type AnswerParts } from '../../src/pipelines/answer.js';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import type { Request } from '../../src/protocol/requests.js';
import { acked, lost, restartable, running, submit, type OwnerRun } from '../core/owner/owner-run.js';
import { running as guestRunning } from '../core/receiver/receiver-run.js';
import { createItem, createMember, createView, meshRules } from '../core/samples.js';
import { createManualClock } from './manual-clock.js';

const GUEST = 'omega/g1/1';

interface Answered {
  readonly response: Readonly<Record<string, unknown>>;
  readonly subject: string;
  readonly caused: readonly NodeInput[];
}

function guestOf(migrate: 'never' | 'restart'): AnswerParts['guests'] {
  const { guest } = guestRunning({ migrate });
  return new Map(guest === null ? [] : [[GUEST, { ...guest, owner: 'omega', item: 'g1' }]]);
}

function ask(
  request: Request,
  items: readonly OwnerRun[] = [],
  change: Partial<AnswerParts> = {},
  signedBy?: string,
): Answered {
  const pushed: NodeInput[] = [];
  const parts: AnswerParts = {
    self: 'alpha',
    view: createView(createMember('alpha', { trit: 1 }), createMember('beta'), createMember('gamma')),
    mesh: () => meshRules,
    clock: createManualClock(),
    items: new Map(items.map(({ state }) => [state.item.item, state])),
    guests: guestOf('restart'),
    wasRetired: (item) => item === 'old',
    push: (input) => pushed.push(input),
    journalFault: () => undefined,
    guestOfPid: (pid) => (pid === 7 ? GUEST : undefined),
    heaviestGuests: () => [GUEST],
    twins: { answer: () => ({ data: { id: 'alpha', version: '0.1.0' } }) },
    renaming: { wanted: undefined, answer: () => ({ error: 'not here' }) },
    ...change,
  };
  answerRequest({ type: 'RequestHeard', request, signedBy }, parts);
  const answered = pushed.at(-1);
  if (answered?.type !== 'RequestAnswered') throw new Error('no answer');
  return { response: { ...answered.response.body }, subject: answered.subject, caused: pushed.slice(0, -1) };
}

describe('an answer', () => {
  test.each<[string, Request, readonly OwnerRun[], object, object]>([
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
      [{ fact: { type: 'CancelAsked' } }],
    ],
    ['retry', { verb: 'retry', item: 'j1' }, [lost()], { item: 'j1' }, [{ fact: { type: 'RetryAsked' } }]],
    ['run', { verb: 'run', item: createItem() }, [], { item: 'j1', known: false }, [{ type: 'ItemSubmitted' }]],
    [
      'run of an item that was forgotten a moment ago starts nothing',
      { verb: 'run', item: createItem({ item: 'old' }) },
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
      [{ fact: { type: 'MoveAsked', to: 'gamma' } }],
    ],
    [
      'migrate by process',
      { verb: 'migrate', pid: 7 },
      [],
      { item: 'g1', from: 'alpha', owner: 'omega' },
      [{ guest: GUEST, fact: { type: 'VacateWanted' } }],
    ],
    ['migrate the top', { verb: 'migrate', select: 'top' }, [], { item: 'g1' }, [{ guest: GUEST }]],
  ])('%s', (_title, request, items, data, caused) => {
    const answered = ask(request, items);
    expect(answered.response).toMatchObject({ status: 'ok', data });
    expect(answered.caused).toMatchObject(caused);
  });

  test('echoes the transaction', () => {
    expect(ask({ verb: 'ping', transaction: 'x' }).response['transaction']).toBe('x');
    expect(ask({ verb: 'ping' }).response).not.toHaveProperty('transaction');
  });

  test.each<[string, Request, readonly OwnerRun[], string]>([
    ['run', { verb: 'run', item: createItem() }, [], 'item/j1'],
    ['cancel', { verb: 'cancel', item: 'j1' }, [running()], 'item/j1'],
    ['the top that is found', { verb: 'migrate', item: 'j1' }, [running(restartable())], 'item/j1'],
    ['drain', { verb: 'drain', value: 'OFF' }, [], 'node'],
  ])('to %s stands behind the writes that it promises', (_title, request, items, subject) => {
    expect(ask(request, items).subject).toBe(subject);
  });

  test('paths are taken from this node itself only', () => {
    const request: Request = { verb: 'run', item: createItem({ inputs: ['/etc/passwd'] }) };
    expect(ask(request, [], {}, 'alpha').response['status']).toBe('ok');
    expect(ask(request, [], {}, 'beta').response['error']).toBe(
      'item.inputs and item.destination are paths on this machine: only alpha itself may name them',
    );
  });

  test('a refused request is answered with its reason', () => {
    const pushed: NodeInput[] = [];
    const parts = {
      self: 'alpha',
      push: (input: NodeInput) => pushed.push(input),
    } as Partial<AnswerParts> as AnswerParts;
    answerRequest({ type: 'RequestRefused', verb: 'run', reason: 'sig is missing', transaction: 'x' }, parts);
    expect(pushed).toMatchObject([
      { response: { topic: { verb: 'run' }, body: { status: 'error', error: 'sig is missing', transaction: 'x' } } },
    ]);
  });
});

describe('what cannot be done says why', () => {
  const pinned = restartable({ need: { cpus: 1, labels: ['gpu'], abilities: [] } });
  test.each<[Request, readonly OwnerRun[], Partial<AnswerParts>, string]>([
    [{ verb: 'cancel', item: 'j9' }, [], {}, 'no such item here: j9'],
    [{ verb: 'cancel', item: 'g1' }, [], {}, 'item g1 runs here but belongs to omega: ask omega'],
    [
      { verb: 'cancel', item: 'j1' },
      [{ ...submit(), state: { ...submit().state, phase: 'done' } }],
      {},
      'item j1 has ended already (done)',
    ],
    [{ verb: 'retry', item: 'j1' }, [running()], {}, 'item j1 is running, only a lost one is retried'],
    [
      { verb: 'run', item: createItem() },
      [],
      { journalFault: () => 'no space' },
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
      { view: createView() },
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
