/** The decoder: any bytes yield a message or the name of the invalid field. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, decodeText } from '../../src/protocol/codec.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import type { Bodies, MessageKind } from '../../src/protocol/messages.js';
import { kindFilter, parseTopic, type Topic } from '../../src/protocol/topics.js';
import { createInfo, createOffer, createResult, createState } from '../support/samples.js';

const stamp = { ts: '1970-01-01T00:00:00.000Z', boot: 1, seq: 2 };
const hash = 'a'.repeat(64);

const bodies: { readonly [K in MessageKind]: Bodies[K] } = {
  info: createInfo(),
  state: createState(),
  scum: {
    count: 1,
    items: [
      { pid: 1, name: 'x', score: 0.5, cpu_percent: 90, memory_percent: 1, age_s: 5, action: 'allow', movable: false },
    ],
  },
  event: { event_type: 'trit_changed', from: 0, to: 1 },
  response: { status: 'ok', data: { id: 'alpha' }, transaction: 'x' },
  offer: createOffer(),
  claim: { epoch: 1, renewal: 1, projected_ratio: 0.1, slots_free: 1, rank: 0 },
  ack: {
    epoch: 1,
    to: 'beta',
    renewal: 1,
    lease_ms: 6000,
    transport: 'https',
    urls: ['https://127.0.0.1:1'],
    manifest_sha256: hash,
  },
  lease: { epoch: 1, to: 'beta', renewal: 3, order: 'hold' },
  progress: { epoch: 1, phase: 'fetching', renewal: 3, bytes: 1, bytes_total: 2 },
  result: createResult({ manifest_sha256: hash }),
  log: { epoch: 1, stream: 'stdout', offset: 0, text: 'hello', lossy: false },
  status: {
    phase: 'queued',
    name: 'true',
    epoch: 0,
    receiver: null,
    reason: '',
    attempts: 0,
    hops: 0,
    submitted_at: '',
    exit_code: null,
    signal: null,
    run_ms: null,
    cpu_s: null,
    blocked: [{ node: 'beta', reason: 'it is draining' }],
    history: [{ ts: '', phase: 'queued', epoch: 0 }],
  },
  mesh: {
    sum: 0,
    residue: 0,
    invariant: true,
    direction: 'rest',
    online: 1,
    plus: 0,
    ergodic: 1,
    minus: 0,
    receivers: [],
    reporter: 'alpha',
  },
};
const kinds = Object.keys(bodies) as MessageKind[];

function topicOf<K extends MessageKind>(kind: K): Topic & { readonly kind: K } {
  return parseTopic('t', kindFilter('t', kind).replaceAll('+', 'a')) as Topic & { readonly kind: K };
}

function decode(kind: MessageKind, change: object): ReturnType<typeof decodeMessage> {
  const text = sealMessage('', { ...bodies[kind], ...change }, stamp);
  return decodeMessage('t', topicOf(kind), new TextEncoder().encode(text));
}

describe('decodeMessage', () => {
  it.each(kinds)('decodes an encoded message of kind %s', (kind) => {
    expect(decode(kind, {})).toEqual({ ok: true, value: { v: 1, ...stamp, ...bodies[kind] }, proof: undefined });
  });

  it.each(kinds.filter((kind) => kind !== 'event'))('drops unknown keys of a message of kind %s', (kind) => {
    const decoded = decode(kind, { newer: 1 });
    expect(decoded.ok && 'newer' in decoded.value).toBe(false);
    expect(decoded.ok).toBe(true);
  });

  it.each(kinds)('rejects another protocol version for kind %s', (kind) => {
    expect(decode(kind, { v: 2 })).toMatchObject({ ok: false, field: 'v' });
  });

  it.each<[MessageKind, object, string]>([
    ['info', { key: 'short' }, 'key'],
    ['info', { cpus: 0 }, 'cpus'],
    ['info', { cpus: 4097 }, 'cpus'],
    ['info', { labels: Array.from({ length: 65 }, () => 'x') }, 'labels'],
    ['state', { trit: 2 }, 'trit'],
    ['state', { load_ratio: -1 }, 'load_ratio'],
    ['state', { cpu_percent: 101 }, 'cpu_percent'],
    ['state', { slots_free: 0.5 }, 'slots_free'],
    ['state', { ttl_s: 86_401 }, 'ttl_s'],
    ['scum', { items: Array.from({ length: 11 }, () => bodies.scum.items[0]) }, 'items'],
    ['offer', { epoch: 0 }, 'epoch'],
    ['offer', { epoch: 2 ** 53 }, 'epoch'],
    ['offer', { hops: -1 }, 'hops'],
    ['offer', { ttl_ms: 0 }, 'ttl_ms'],
    ['offer', { ttl_ms: 86_400_001 }, 'ttl_ms'],
    ['offer', { avoid: ['UP'] }, 'avoid.0'],
    ['offer', { need: { cpus: 0 } }, 'need.cpus'],
    ['offer', { kind: 'dance' }, 'kind'],
    ['offer', { reason: 'x'.repeat(501) }, 'reason'],
    ['claim', { rank: -1 }, 'rank'],
    ['claim', { renewal: undefined }, 'renewal'],
    ['ack', { to: 'a b' }, 'to'],
    ['ack', { lease_ms: 86_400_001 }, 'lease_ms'],
    ['ack', { urls: ['http://127.0.0.1:1'] }, 'urls.0'],
    ['ack', { urls: ['https://127.0.0.1:1/path'] }, 'urls.0'],
    ['ack', { manifest_sha256: 'A'.repeat(64) }, 'manifest_sha256'],
    ['ack', { command: { argv: [] } }, 'command.argv'],
    ['lease', { order: 'stop' }, 'order'],
    ['progress', { phase: 'done' }, 'phase'],
    ['progress', { renewal: -1 }, 'renewal'],
    ['result', { outcome: 'ok' }, 'outcome'],
    ['result', { exit_code: 256 }, 'exit_code'],
    ['log', { text: 'x'.repeat(8193) }, 'text'],
    ['status', { history: Array.from({ length: 25 }, () => bodies.status.history[0]) }, 'history'],
    ['status', { blocked: Array.from({ length: 17 }, () => bodies.status.blocked[0]) }, 'blocked'],
    ['mesh', { receivers: ['a', 'b', 'c', 'd'] }, 'receivers'],
    ['mesh', { residue: -1 }, 'residue'],
    ['event', { event_type: 5 }, 'event_type'],
    ['response', { status: 'maybe' }, 'status'],
  ])('names the invalid field of %s %j', (kind, change, field) => {
    expect(decode(kind, change)).toMatchObject({ ok: false, field });
  });

  it('accepts exactly as many bytes as the documented limit', () => {
    expect(decodeText(new Uint8Array(65_536).fill(32)).ok).toBe(true);
    expect(decodeText(new Uint8Array(65_537).fill(32))).toEqual({
      ok: false,
      field: 'payload',
      reason: 'has 65537 bytes, at most 65536 are read',
    });
  });

  it('answers any bytes without throwing', () => {
    const json = fc.json().map((text) => new TextEncoder().encode(text));
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.oneof(fc.uint8Array({ maxLength: 300 }), json), (kind, payload) => {
        const decoded = decodeMessage('t', topicOf(kind), payload);
        if (!decoded.ok) expect(decoded.field.length).toBeGreaterThan(0);
      }),
    );
  });

  it('answers a message with one value replaced by anything without throwing', () => {
    const change = fc
      .constantFrom(...kinds)
      .chain((kind) => fc.tuple(fc.constant(kind), fc.constantFrom(...Object.keys(bodies[kind])), fc.jsonValue()));
    fc.assert(
      fc.property(change, ([kind, field, value]) => {
        const decoded = decode(kind, { [field]: value });
        if (!decoded.ok) expect(decoded.field.split('.')[0]).toBe(field);
      }),
    );
  });
});
