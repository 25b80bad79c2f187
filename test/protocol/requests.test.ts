/** Requests: an empty payload, a bare value and JSON become one shape; anything else is rejected with its field. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeRequest,
  isVerb,
  peekTransaction,
  UNSIGNED_VERBS,
  VERBS,
  type Verb,
} from '../../src/protocol/requests.js';

const run = { item: { item: 'j1', name: 'true', command: { argv: ['true'] } } };

function decode(verb: Verb, payload: string): ReturnType<typeof decodeRequest> {
  return decodeRequest('t', 'alpha', verb, new TextEncoder().encode(payload));
}

describe('decodeRequest', () => {
  it.each<[Verb, string, object]>([
    ['ping', '', { verb: 'ping' }],
    ['ping', '  \n', { verb: 'ping' }],
    ['refresh', '{}', { verb: 'refresh' }],
    ['ping', '{"transaction":"x"}', { verb: 'ping', transaction: 'x' }],
    ['drain', '', { verb: 'drain', value: 'ON' }],
    ['drain', 'OFF', { verb: 'drain', value: 'OFF' }],
    ['drain', '{"value":"OFF"}', { verb: 'drain', value: 'OFF' }],
    ['cancel', 'k3f9', { verb: 'cancel', item: 'k3f9' }],
    ['retry', ' k3f9\n', { verb: 'retry', item: 'k3f9' }],
    ['migrate', 'k3f9', { verb: 'migrate', item: 'k3f9' }],
    ['migrate', 'top', { verb: 'migrate', select: 'top' }],
    ['migrate', '{"select":"top","to":"beta"}', { verb: 'migrate', select: 'top', to: 'beta' }],
    ['migrate', '{"pid":123}', { verb: 'migrate', pid: 123 }],
  ])('decodes %s with payload %j', (verb, payload, value) => {
    expect(decode(verb, payload)).toEqual({ ok: true, value, proof: undefined });
  });

  it('fills in the defaults of an item', () => {
    expect(decode('run', JSON.stringify(run))).toMatchObject({
      ok: true,
      value: {
        item: {
          need: { cpus: 1, labels: [], abilities: [] },
          command: { argv: ['true'], env: {}, outputs: [], migrate: 'never' },
          inputs: [],
          place: 'any',
          retry: 'rerun',
          attempts: 3,
          deferred: false,
        },
      },
    });
  });

  it.each<[Verb, string, string]>([
    ['ping', 'hello', 'payload'],
    ['ping', '{', 'payload'],
    ['run', 'ls', 'payload'],
    ['run', '{}', 'item'],
    ['run', JSON.stringify({ item: { ...run.item, item: 'Not Good' } }), 'item.item'],
    ['run', JSON.stringify({ item: { ...run.item, attempts: 101 } }), 'item.attempts'],
    ['run', JSON.stringify({ item: { ...run.item, command: { argv: ['x'.repeat(33_000)] } } }), 'item.command'],
    ['run', JSON.stringify({ item: { ...run.item, command: { argv: ['a\0b'] } } }), 'item.command'],
    [
      'run',
      JSON.stringify({ item: { ...run.item, command: { argv: ['a'], env: { '1A': '' } } } }),
      'item.command.env.1A',
    ],
    [
      'run',
      JSON.stringify({ item: { ...run.item, command: { argv: ['a'], outputs: ['../x'] } } }),
      'item.command.outputs.0',
    ],
    [
      'run',
      JSON.stringify({ item: { ...run.item, command: { argv: ['a'], stdin: '/etc/passwd' } } }),
      'item.command.stdin',
    ],
    ['drain', 'maybe', 'value'],
    ['cancel', '', 'item'],
    ['cancel', '{"item":5}', 'item'],
    ['cancel', 'NOT GOOD', 'item'],
    ['migrate', '', 'payload'],
    ['migrate', '{"item":"a","pid":1}', 'payload'],
    ['migrate', '{"pid":0}', 'pid'],
    ['migrate', '{"item":"a","to":"B"}', 'to'],
    ['ping', `{"transaction":"${'x'.repeat(129)}"}`, 'transaction'],
    ['ping', `{"from":"${'x'.repeat(33)}"}`, 'from'],
  ])('rejects %s %.60s and names the field', (verb, payload, field) => {
    expect(decode(verb, payload)).toMatchObject({ ok: false, field });
  });

  it('answers any bytes without throwing', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...VERBS),
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (verb, payload) => {
          expect(typeof decodeRequest('t', 'alpha', verb, payload).ok).toBe('boolean');
          peekTransaction(payload);
        },
      ),
    );
  });
});

describe('verbs', () => {
  it('may be unsigned only if they carry neither code nor paths', () => {
    const signed = ['run', 'clean', 'read', 'rename', 'fit', 'call'];
    expect(VERBS.filter((verb) => !UNSIGNED_VERBS.includes(verb)).toSorted()).toEqual(signed.toSorted());
  });

  it.each(['toString', '__proto__', 'constructor', ''])('do not include %j', (verb) =>
    expect(isVerb(verb)).toBe(false),
  );
});

describe('peekTransaction', () => {
  it.each<[string, string | undefined]>([
    ['{"transaction":"x","item":5}', 'x'],
    ['{"transaction":5}', undefined],
    ['not json', undefined],
    ['', undefined],
  ])('%j', (payload, transaction) => {
    expect(peekTransaction(new TextEncoder().encode(payload))).toBe(transaction);
  });
});
