/** Saying: stamped, sealed, and heard by oneself where a node is owner and receiver at once. */
import { generateKeyPairSync } from 'node:crypto';
import { NEVER } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { BusPublish } from '../../src/bus/bus.js';
import { say, type Say } from '../../src/core/effects.js';
import { createIdentity } from '../../src/identity/create-identity.js';
import type { NodeInput } from '../../src/pipelines/inputs.js';
import { createSpeaker, type Speaker } from '../../src/pipelines/say.js';
import { createOffer, createResult } from '../core/samples.js';
import { createManualClock } from './manual-clock.js';

function setUp(): { readonly speaker: Speaker; readonly said: BusPublish[]; readonly heard: NodeInput[] } {
  const said: BusPublish[] = [];
  const heard: NodeInput[] = [];
  const bus = {
    link$: NEVER,
    messages$: NEVER,
    refused$: NEVER,
    connect: () => undefined,
    subscribe: () => undefined,
    publish: (message: BusPublish) => void said.push(message),
    forget: () => undefined,
    close: () => undefined,
  };
  const identity = createIdentity(generateKeyPairSync('ed25519').privateKey);
  const speaker = createSpeaker({
    self: 'alpha',
    base: 't',
    boot: 7,
    bus,
    clock: createManualClock(),
    identity,
    keyOf: () => undefined,
    push: (input) => heard.push(input),
  });
  return { speaker, said, heard };
}

const claimBody = { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 };

describe('a speaker', () => {
  test('numbers its messages within this run and signs those that others act on', () => {
    const { speaker, said } = setUp();
    speaker.say(say({ kind: 'offer', owner: 'alpha', item: 'j1' }, createOffer()));
    speaker.say(say({ kind: 'event', node: 'alpha' }, { event_type: 'x' }));
    const [offer, event] = said.map((message) => JSON.parse(message.payload) as Record<string, unknown>);
    expect(said[0]).toMatchObject({ topic: 't/work/alpha/j1/offer', qos: 1, retain: false });
    expect(said[1]).toMatchObject({ topic: 't/node/alpha/event', qos: 0, retain: false });
    expect(offer).toMatchObject({ v: 1, ts: '1970-01-01T00:00:00.000Z', boot: 7, seq: 1 });
    expect(offer?.['sig']).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(event).toMatchObject({ seq: 2 });
    expect(event).not.toHaveProperty('sig');
  });

  test.each<[string, Say, object]>([
    [
      'an offer',
      say({ kind: 'offer', owner: 'alpha', item: 'j1' }, createOffer()),
      { type: 'OfferHeard', owner: 'alpha', item: 'j1' },
    ],
    [
      'a lease',
      say({ kind: 'lease', owner: 'alpha', item: 'j1' }, { epoch: 1, to: 'alpha', renewal: 1, order: 'hold' }),
      { type: 'LeaseSeen' },
    ],
    [
      'a claim of its own item',
      say({ kind: 'claim', owner: 'alpha', item: 'j1', node: 'alpha' }, claimBody),
      { type: 'OwnerFact', fact: { type: 'ClaimHeard', from: 'alpha' } },
    ],
    [
      'a result of its own item',
      say({ kind: 'result', owner: 'alpha', item: 'j1', node: 'alpha' }, createResult()),
      { type: 'OwnerFact', fact: { type: 'ResultHeard', from: 'alpha' } },
    ],
  ])('hears %s itself, without any broker', (_title, message, input) => {
    const { speaker, heard } = setUp();
    speaker.say(message);
    expect(heard).toMatchObject([input]);
  });

  test('a claim of the item of another is not for itself', () => {
    const { speaker, heard } = setUp();
    speaker.say(say({ kind: 'claim', owner: 'beta', item: 'j1', node: 'alpha' }, claimBody));
    expect(heard).toEqual([]);
  });

  test('takes a retained topic off the bus with an empty payload', () => {
    const { speaker, said } = setUp();
    speaker.unsay({ kind: 'status', owner: 'alpha', item: 'j1' });
    speaker.sayText({ kind: 'trit', node: 'alpha' }, '-1');
    expect(said).toEqual([
      { topic: 't/work/alpha/j1/status', payload: '', qos: 1, retain: true },
      { topic: 't/node/alpha/trit', payload: '-1', qos: 1, retain: true },
    ]);
  });
});
