/** Incoming messages: a valid one becomes an input; a forged, stale or malformed one is refused with the reason. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BusMessage } from '../../../src/bus/bus.js';
import { putMember, type MemberTable } from '../../../src/core/mesh/member-table.js';
import { createIdentity } from '../../../src/identity/create-identity.js';
import type { Identity } from '../../../src/identity/identity.js';
import type { NodeInput } from '../../../src/pipelines/inputs.js';
import { createKeyPins } from '../../../src/pipelines/mesh/key-pins.js';
import { createMessageDecoder, type MessageDecoder } from '../../../src/pipelines/mesh/decode-messages.js';
import { wireCodec } from '../../../src/protocol/codec.js';
import { sealMessage } from '../../../src/protocol/envelope.js';
import { UNSIGNED_VERBS } from '../../../src/protocol/requests.js';
import { createInfo, createMember, createOffer, createState, createTable } from '../../support/samples.js';
import { createManualClock } from '../../support/manual-clock.js';

const alpha = newIdentity();
const beta = newIdentity();
const stranger = newIdentity();
const stamp = { ts: '1970-01-01T00:00:00.000Z', boot: 1, seq: 1 };
const lease = { epoch: 1, to: 'alpha', renewal: 1, order: 'hold' };

function newIdentity(): Identity {
  return createIdentity(generateKeyPairSync('ed25519').privateKey);
}

function createDecoder(
  members: MemberTable = createTable(createMember('beta', {}, { key: beta.publicKey })),
): MessageDecoder {
  const pins = createKeyPins(members, createManualClock(), new Map([['beta', beta.publicKey]]), () => undefined);
  return createMessageDecoder({
    self: 'alpha',
    base: 't',
    identity: alpha,
    members,
    pins,
    keyOf: (node) => members.get(node)?.info?.key,
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
  it.each<[string, object, string]>([
    ['t/work/beta/j1/offer', createOffer(), 'OfferHeard'],
    ['t/work/beta/j1/ack', { epoch: 1, to: 'alpha', renewal: 1, lease_ms: 1, transport: 'none', urls: [] }, 'AckHeard'],
    ['t/work/beta/j1/lease', lease, 'LeaseHeard'],
    ['t/work/alpha/j1/claim/beta', { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 }, 'ItemInput'],
    ['t/work/alpha/j1/progress/beta', { epoch: 1, phase: 'running', renewal: 1 }, 'ItemInput'],
  ])('%s signed by its writer is taken', (topic, body, type) => {
    expect(createDecoder().receive(signed(topic, body))?.type).toBe(type);
  });

  const topic = 't/work/beta/j1/lease';
  it.each<[string, BusMessage, string]>([
    ['forged', signed(topic, lease, stranger), 'sig does not match the key of its writer'],
    ['unsigned', bare(topic, sealMessage(topic, lease, stamp)), 'sig is missing'],
    [
      'repeated on another topic',
      { ...signed('t/work/beta/j2/lease', lease), topic },
      'sig does not match the key of its writer',
    ],
    ['retained by a broker', signed(topic, lease, beta, true), 'work is never retained'],
    [
      'of a writer without a birth',
      signed('t/work/gamma/j1/lease', lease),
      'sig cannot be checked: no birth message of its writer has been received',
    ],
    ['oversized', bare(topic, ' '.repeat(70_000)), 'payload has 70000 bytes, at most 65536 are read'],
    ['not JSON', bare(topic, 'hello'), 'payload is not JSON'],
    ['not UTF-8', { topic, payload: new Uint8Array([0xff]), retained: false }, 'payload is not UTF-8'],
    ['with a wrong field', signed(topic, { ...lease, epoch: 0 }), 'epoch Too small: expected number to be >=1'],
  ])('that is %s is refused', (_title, message, reason) => {
    expect(reasonOf(createDecoder().receive(message))).toBe(reason);
  });

  it('one changed character of a signed message is enough to refuse it', () => {
    const message = signed(topic, lease);
    const text = new TextDecoder().decode(message.payload).replace('"hold"', '"gone"');
    expect(reasonOf(createDecoder().receive(bare(topic, text)))).toBe('sig does not match the key of its writer');
  });
});

describe('its own messages', () => {
  it.each(['t/node/alpha/state', 't/work/alpha/j1/offer', 't/work/beta/j1/claim/alpha', 't/node/alpha/availability'])(
    'an echo on %s is nothing',
    (topic) => expect(createDecoder().receive(bare(topic, 'x'))).toBeUndefined(),
  );

  it('a birth under its own id with another key is a rival', () => {
    expect(createDecoder().receive(signed('t/node/alpha/info', createInfo({ key: beta.publicKey })))).toEqual({
      type: 'RivalHeard',
      host: 'machine',
    });
    expect(
      createDecoder().receive(signed('t/node/alpha/info', createInfo({ key: alpha.publicKey }), alpha)),
    ).toBeUndefined();
  });
});

describe('leases', () => {
  it('one for another node is ignored, no matter who signed it', () => {
    const other = { ...lease, to: 'gamma' };
    expect(createDecoder().receive(signed('t/work/beta/j1/lease', other))).toBeUndefined();
    expect(createDecoder().receive(signed('t/work/beta/j1/lease', other, stranger))).toBeUndefined();
    expect(reasonOf(createDecoder().receive(signed('t/work/beta/j1/lease', lease, stranger)))).toContain('sig');
  });
});

describe('members', () => {
  it('a state that comes before the birth of its writer is kept until the birth', () => {
    const members = createTable();
    const receiver = createDecoder(members);
    const early = signed('t/node/beta/state', createState());
    expect(receiver.receive(early)).toBeUndefined();
    putMember(members, createMember('beta', {}, { key: beta.publicKey }), 0);
    expect(receiver.release('beta')).toBe(early);
    expect(receiver.release('beta')).toBeUndefined();
    expect(receiver.receive(early)?.type).toBe('StateHeard');
  });

  it('no large state is kept for a birth that may never come', () => {
    const receiver = createDecoder(createTable());
    const large = bare('t/node/beta/state', 'x'.repeat(10_000));
    expect(reasonOf(receiver.receive(large))).toBe('payload is too large to be kept until its writer is known');
    expect(receiver.release('beta')).toBeUndefined();
  });

  it('a birth proves that its writer holds the key in it', () => {
    const birth = createInfo({ key: beta.publicKey });
    expect(createDecoder().receive(signed('t/node/beta/info', birth))?.type).toBe('InfoHeard');
    expect(reasonOf(createDecoder().receive(signed('t/node/beta/info', birth, stranger)))).toBe(
      'sig does not match the key of its writer',
    );
  });

  it('another key does not replace that of a member', () => {
    const foreign = signed('t/node/beta/info', createInfo({ key: stranger.publicKey }), stranger);
    expect(reasonOf(createDecoder().receive(foreign))).toMatch(
      /^key differs from the one that beta was first seen with/,
    );
  });

  it.each([
    ['online', true],
    ['offline', false],
  ])('availability %s is read', (text, online) => {
    expect(createDecoder().receive(bare('t/node/beta/availability', text, true))).toEqual({
      type: 'AvailabilityHeard',
      node: 'beta',
      online,
    });
  });

  it('any other availability is refused', () => {
    expect(reasonOf(createDecoder().receive(bare('t/node/beta/availability', 'perhaps')))).toBe(
      'availability must be online or offline',
    );
  });
});

describe('settings and requests', () => {
  const request = 't/node/alpha/request';
  const item = { item: 'j1', name: 'true', command: { argv: ['true'] } };

  it.each<[string, BusMessage, object]>([
    ['a setting in any case', bare('t/node/alpha/set/drain', ' on\n'), { type: 'SetHeard', key: 'drain', value: 'ON' }],
    [
      'an unsigned request whose verb permits that',
      bare(`${request}/ping`, ''),
      { type: 'RequestHeard', signedBy: undefined },
    ],
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
    expect(createDecoder().receive(message)).toMatchObject(input);
  });

  it.each<[string, BusMessage, string]>([
    ['a setting retained by a broker', bare('t/node/alpha/set/drain', 'ON', true), 'a command must not be retained'],
    ['an unknown setting', bare('t/node/alpha/set/speed', 'ON'), 'no such setting: speed; must be drain or accept'],
    ['an unknown value', bare('t/node/alpha/set/drain', 'maybe'), 'drain must be ON or OFF'],
    ['a request retained by a broker', bare(`${request}/ping`, '', true), 'a request must not be retained'],
    ['an unknown verb', bare(`${request}/dance`, ''), 'no such request: dance'],
    [
      'an unsigned run',
      bare(`${request}/run`, JSON.stringify({ item })),
      'sig is missing: run must be signed by a member',
    ],
    [
      'a run in the name of another',
      signed(`${request}/run`, { from: 'beta', item }, stranger),
      'sig does not match the key of its writer',
    ],
    [
      'a run by an unknown node',
      signed(`${request}/run`, { from: 'gamma', item }),
      'sig cannot be checked: no birth message of its writer has been received',
    ],
    [
      'a wrong field',
      bare(`${request}/cancel`, '{"item":5,"transaction":"x"}'),
      'item Invalid input: expected string, received number',
    ],
  ])('%s is refused', (_title, message, reason) => {
    expect(reasonOf(createDecoder().receive(message))).toBe(reason);
  });

  it('an old signed request is refused: it may be a replay', () => {
    const topic = `${request}/run`;
    const old = { ...stamp, ts: '1969-12-31T23:54:59.000Z' };
    const message = bare(topic, sealMessage(topic, { from: 'beta', item }, old, beta.sign));
    expect(reasonOf(createDecoder().receive(message))).toBe("ts must be within 5 minutes of this node's clock");
  });

  it('a refusal echoes the transaction, and has the code of its reason', () => {
    expect(createDecoder().receive(bare(`${request}/dance`, '{"transaction":"x"}'))).toMatchObject({
      transaction: 'x',
      code: 'no-such-request',
    });
  });
});

describe('a message by the direct path', () => {
  const topic = 't/work/beta/j1/lease';
  const brought = (by: Identity, to: string, body: object = lease): { topic: string; payload: string } => {
    const { payload } = signed(to, body, by);
    return { topic: to, payload: new TextDecoder().decode(payload) };
  };

  it('is the same input as by the bus, with its path and its order number', () => {
    expect(createDecoder().receiveDirect(beta.publicKey, brought(beta, topic))).toMatchObject({
      verdict: 'taken',
      input: { type: 'LeaseHeard', owner: 'beta', item: 'j1', path: 'direct', number: { boot: 1, seq: 1 } },
    });
  });

  it('is refused if it is of another kind, of another writer, or for another node', () => {
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
      expect(createDecoder().receiveDirect(key, message)).toMatchObject({
        verdict: 'unknown',
        input: { type: 'MessageRefused' },
      });
  });

  it('is malformed when it cannot be read, or its signature does not fit', () => {
    const { payload } = brought(beta, topic);
    for (const text of ['{', payload.replace('hold', 'gone')])
      expect(createDecoder().receiveDirect(beta.publicKey, { topic, payload: text }).verdict).toBe('malformed');
  });
});
