/** Messages as they come in: what is true becomes an input, what is forged, stale or malformed changes nothing and says why. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { BusMessage } from '../../src/bus/bus.js';
import { putMember, type MeshView } from '../../src/core/mesh.js';
import { createIdentity } from '../../src/identity/create-identity.js';
import type { Identity } from '../../src/identity/identity.js';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import { createKeyPins } from '../../src/pipelines/key-pins.js';
import { createReceiver, type Receiver } from '../../src/pipelines/receive.js';
import { wireCodec } from '../../src/protocol/codec.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import { UNSIGNED_VERBS } from '../../src/protocol/requests.js';
import { createInfo, createMember, createOffer, createState, createView } from '../core/samples.js';
import { createManualClock } from './manual-clock.js';

const alpha = newIdentity();
const beta = newIdentity();
const stranger = newIdentity();
const stamp = { ts: '1970-01-01T00:00:00.000Z', boot: 1, seq: 1 };
const lease = { epoch: 1, to: 'alpha', renewal: 1, order: 'hold' };

function newIdentity(): Identity {
  return createIdentity(generateKeyPairSync('ed25519').privateKey);
}

function createBench(view: MeshView = createView(createMember('beta', {}, { key: beta.publicKey }))): Receiver {
  const pins = createKeyPins(view, createManualClock(), new Map([['beta', beta.publicKey]]), () => undefined);
  return createReceiver({
    self: 'alpha',
    base: 't',
    identity: alpha,
    view,
    pins,
    keyOf: (node) => view.get(node)?.info?.key,
    unsignedVerbs: UNSIGNED_VERBS,
    wall: () => 0,
    codec: wireCodec,
  });
}

function bare(topic: string, text: string, retained = false): BusMessage {
  return { topic, payload: new TextEncoder().encode(text), retained };
}

function signed(topic: string, body: object, by: Identity = beta, retained = false): BusMessage {
  return bare(topic, sealMessage(topic, body, stamp, by.sign), retained);
}

function reasonOf(input: NodeInput | undefined): string | undefined {
  return input?.type === 'MessageRefused' || input?.type === 'RequestRefused' ? input.reason : undefined;
}

describe('work', () => {
  test.each<[string, object, string]>([
    ['t/work/beta/j1/offer', createOffer(), 'OfferHeard'],
    ['t/work/beta/j1/ack', { epoch: 1, to: 'alpha', renewal: 1, lease_ms: 1, transport: 'none', urls: [] }, 'AckSeen'],
    ['t/work/beta/j1/lease', lease, 'LeaseSeen'],
    ['t/work/alpha/j1/claim/beta', { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 }, 'OwnerFact'],
    ['t/work/alpha/j1/progress/beta', { epoch: 1, phase: 'running', renewal: 1 }, 'OwnerFact'],
  ])('%s signed by its writer is taken', (topic, body, type) => {
    expect(createBench().receive(signed(topic, body))?.type).toBe(type);
  });

  const topic = 't/work/beta/j1/lease';
  test.each<[string, BusMessage, string]>([
    ['forged', signed(topic, lease, stranger), 'sig does not fit the key of its writer'],
    ['unsigned', bare(topic, sealMessage(topic, lease, stamp)), 'sig is missing'],
    [
      'said again on another topic',
      { ...signed('t/work/beta/j2/lease', lease), topic },
      'sig does not fit the key of its writer',
    ],
    ['kept by a broker', signed(topic, lease, beta, true), 'work is never retained'],
    [
      'of one whose birth was not heard',
      signed('t/work/gamma/j1/lease', lease),
      'sig cannot be checked: the birth of its writer was not heard',
    ],
    ['oversized', bare(topic, ' '.repeat(70_000)), 'payload has 70000 bytes, at most 65536 are read'],
    ['no JSON', bare(topic, 'hello'), 'payload is not JSON'],
    ['no UTF-8', { topic, payload: new Uint8Array([0xff]), retained: false }, 'payload is not UTF-8'],
    ['with a wrong field', signed(topic, { ...lease, epoch: 0 }), 'epoch Too small: expected number to be >=1'],
  ])('that is %s is refused', (_title, message, reason) => {
    expect(reasonOf(createBench().receive(message))).toBe(reason);
  });

  test('one changed character of a signed message is enough', () => {
    const message = signed(topic, lease);
    const text = new TextDecoder().decode(message.payload).replace('"hold"', '"gone"');
    expect(reasonOf(createBench().receive(bare(topic, text)))).toBe('sig does not fit the key of its writer');
  });
});

describe('its own words', () => {
  test.each(['t/node/alpha/state', 't/work/alpha/j1/offer', 't/work/beta/j1/claim/alpha', 't/node/alpha/availability'])(
    'an echo on %s is nothing',
    (topic) => expect(createBench().receive(bare(topic, 'x'))).toBeUndefined(),
  );

  test('a birth under its own id with another key is a rival', () => {
    expect(createBench().receive(signed('t/node/alpha/info', createInfo({ key: beta.publicKey })))).toEqual({
      type: 'RivalHeard',
      host: 'machine',
    });
    expect(
      createBench().receive(signed('t/node/alpha/info', createInfo({ key: alpha.publicKey }), alpha)),
    ).toBeUndefined();
  });
});

describe('leases', () => {
  test('one for another node is none of ours, whoever signed it', () => {
    const other = { ...lease, to: 'gamma' };
    expect(createBench().receive(signed('t/work/beta/j1/lease', other))).toBeUndefined();
    expect(createBench().receive(signed('t/work/beta/j1/lease', other, stranger))).toBeUndefined();
    expect(reasonOf(createBench().receive(signed('t/work/beta/j1/lease', lease, stranger)))).toContain('sig');
  });
});

describe('members', () => {
  test('a state that comes before the birth of its writer is kept until then', () => {
    const view = createView();
    const receiver = createBench(view);
    const early = signed('t/node/beta/state', createState());
    expect(receiver.receive(early)).toBeUndefined();
    putMember(view, createMember('beta', {}, { key: beta.publicKey }), 0);
    expect(receiver.release('beta')).toBe(early);
    expect(receiver.release('beta')).toBeUndefined();
    expect(receiver.receive(early)?.type).toBe('StateHeard');
  });

  test('no large state is kept for a birth that may never come', () => {
    const receiver = createBench(createView());
    const large = bare('t/node/beta/state', 'x'.repeat(10_000));
    expect(reasonOf(receiver.receive(large))).toBe('payload is too large to be kept until its writer is known');
    expect(receiver.release('beta')).toBeUndefined();
  });

  test('a birth proves that its writer holds the key it tells', () => {
    const birth = createInfo({ key: beta.publicKey });
    expect(createBench().receive(signed('t/node/beta/info', birth))?.type).toBe('InfoHeard');
    expect(reasonOf(createBench().receive(signed('t/node/beta/info', birth, stranger)))).toBe(
      'sig does not fit the key of its writer',
    );
  });

  test('a foreign key does not step into the place of a member', () => {
    const foreign = signed('t/node/beta/info', createInfo({ key: stranger.publicKey }), stranger);
    expect(reasonOf(createBench().receive(foreign))).toMatch(/^key is another one than beta was first seen with/);
  });

  test.each([
    ['online', true],
    ['offline', false],
  ])('availability %s is read', (text, online) => {
    expect(createBench().receive(bare('t/node/beta/availability', text, true))).toEqual({
      type: 'AvailabilityHeard',
      node: 'beta',
      online,
    });
  });

  test('any other availability is refused', () => {
    expect(reasonOf(createBench().receive(bare('t/node/beta/availability', 'perhaps')))).toBe(
      'availability must be online or offline',
    );
  });
});

describe('settings and requests', () => {
  const request = 't/node/alpha/request';
  const item = { item: 'j1', name: 'true', command: { argv: ['true'] } };

  test.each<[string, BusMessage, object]>([
    ['a setting in any case', bare('t/node/alpha/set/drain', ' on\n'), { type: 'SetHeard', key: 'drain', value: 'ON' }],
    ['an unsigned request that may be', bare(`${request}/ping`, ''), { type: 'RequestHeard', signedBy: undefined }],
    [
      'a request signed by a member',
      signed(`${request}/run`, { from: 'beta', item }),
      { type: 'RequestHeard', signedBy: 'beta' },
    ],
    [
      'a request signed by this node',
      signed(`${request}/run`, { from: 'alpha', item }, alpha),
      { type: 'RequestHeard', signedBy: 'alpha' },
    ],
  ])('%s is taken', (_title, message, input) => {
    expect(createBench().receive(message)).toMatchObject(input);
  });

  test.each<[string, BusMessage, string]>([
    ['a setting kept by a broker', bare('t/node/alpha/set/drain', 'ON', true), 'a command must not be retained'],
    [
      'a setting that is none',
      bare('t/node/alpha/set/speed', 'ON'),
      'no such setting: speed; there are drain and accept',
    ],
    ['a value that is none', bare('t/node/alpha/set/drain', 'maybe'), 'drain must be ON or OFF'],
    ['a request kept by a broker', bare(`${request}/ping`, '', true), 'a request must not be retained'],
    ['a verb that is none', bare(`${request}/dance`, ''), 'no such request: dance'],
    [
      'an unsigned run',
      bare(`${request}/run`, JSON.stringify({ item })),
      'sig is missing: run must be signed by a member',
    ],
    [
      'a run in the name of another',
      signed(`${request}/run`, { from: 'beta', item }, stranger),
      'sig does not fit the key of its writer',
    ],
    [
      'a run by nobody known',
      signed(`${request}/run`, { from: 'gamma', item }),
      'sig cannot be checked: the birth of its writer was not heard',
    ],
    [
      'a field that is wrong',
      bare(`${request}/cancel`, '{"item":5,"transaction":"x"}'),
      'item Invalid input: expected string, received number',
    ],
  ])('%s is refused', (_title, message, reason) => {
    expect(reasonOf(createBench().receive(message))).toBe(reason);
  });

  test('a signed request of long ago is refused: it may be a replay', () => {
    const topic = `${request}/run`;
    const old = { ...stamp, ts: '1969-12-31T23:54:59.000Z' };
    const message = bare(topic, sealMessage(topic, { from: 'beta', item }, old, beta.sign));
    expect(reasonOf(createBench().receive(message))).toBe('ts must be within 5 minutes of the clock here');
  });

  test('a refusal echoes the transaction', () => {
    expect(createBench().receive(bare(`${request}/dance`, '{"transaction":"x"}'))).toMatchObject({ transaction: 'x' });
  });
});

describe('what a peer brings by the direct path', () => {
  const topic = 't/work/beta/j1/lease';
  const brought = (by: Identity, to: string, body: object = lease): { topic: string; payload: string } => {
    const { payload } = signed(to, body, by);
    return { topic: to, payload: new TextDecoder().decode(payload) };
  };

  test('is the same fact as by the bus, with its path and its number', () => {
    expect(createBench().receiveDirect(beta.publicKey, brought(beta, topic))).toMatchObject({
      verdict: 'taken',
      input: { type: 'LeaseSeen', owner: 'beta', item: 'j1', path: 'direct', number: { boot: 1, seq: 1 } },
    });
  });

  test('is nothing of another kind, of another writer, or for another node', () => {
    const stranger = newIdentity();
    const cases: readonly [string, { topic: string; payload: string }][] = [
      [stranger.publicKey, brought(beta, topic)],
      [beta.publicKey, brought(beta, 't/work/gamma/j1/lease')],
      [beta.publicKey, brought(beta, 't/work/beta/j1/offer')],
      [beta.publicKey, brought(beta, 't/node/alpha/request/cancel')],
      [beta.publicKey, brought(beta, 't/work/gamma/j1/progress/beta')],
      [alpha.publicKey, brought(alpha, 't/work/alpha/j1/lease')],
      [beta.publicKey, { topic: 'elsewhere', payload: '{}' }],
    ];
    for (const [key, message] of cases)
      expect(createBench().receiveDirect(key, message)).toMatchObject({
        verdict: 'unknown',
        input: { type: 'MessageRefused' },
      });
  });

  test('is malformed when it cannot be read, or its signature does not fit', () => {
    const { payload } = brought(beta, topic);
    for (const text of ['{', payload.replace('hold', 'gone')])
      expect(createBench().receiveDirect(beta.publicKey, { topic, payload: text }).verdict).toBe('malformed');
  });
});
