/** Publishing: messages are stamped and sealed, and come back as inputs where a node is owner and receiver at once. */
import { generateKeyPairSync } from 'node:crypto';
import { NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { BusPublish } from '../../../src/bus/bus.js';
import { publish, type Publish } from '../../../src/core/effects.js';
import { createIdentity } from '../../../src/identity/create-identity.js';
import type { NodeInput } from '../../../src/pipelines/inputs.js';
import { createPublisher, type Publisher } from '../../../src/pipelines/effects/publisher.js';
import { createOffer, createResult } from '../../support/samples.js';
import { createManualClock } from '../../support/manual-clock.js';

function setUp(): { readonly publisher: Publisher; readonly published: BusPublish[]; readonly heard: NodeInput[] } {
  const published: BusPublish[] = [];
  const heard: NodeInput[] = [];
  const bus = {
    link$: NEVER,
    messages$: NEVER,
    refused$: NEVER,
    connect: () => undefined,
    subscribe: () => undefined,
    publish: (message: BusPublish) => void published.push(message),
    forget: () => undefined,
    close: () => undefined,
  };
  const identity = createIdentity(generateKeyPairSync('ed25519').privateKey);
  const publisher = createPublisher({
    self: 'alpha',
    base: 't',
    boot: 7,
    bus,
    clock: createManualClock(),
    identity,
    keyOf: () => undefined,
    push: (input) => heard.push(input),
  });
  return { publisher, published, heard };
}

const claimBody = { epoch: 1, renewal: 1, projected_ratio: 0, slots_free: 1, rank: 0 };

describe('the publisher', () => {
  it('numbers its messages within a boot and signs those that others act on', () => {
    const { publisher, published } = setUp();
    publisher.publish(publish({ kind: 'offer', owner: 'alpha', item: 'j1' }, createOffer()));
    publisher.publish(publish({ kind: 'event', node: 'alpha' }, { event_type: 'x' }));
    const [offer, event] = published.map((message) => JSON.parse(message.payload) as Record<string, unknown>);
    expect(published[0]).toMatchObject({ topic: 't/work/alpha/j1/offer', qos: 1, retain: false });
    expect(published[1]).toMatchObject({ topic: 't/node/alpha/event', qos: 0, retain: false });
    expect(offer).toMatchObject({ v: 1, ts: '1970-01-01T00:00:00.000Z', boot: 7, seq: 1 });
    expect(offer?.['sig']).toMatch(/^[A-Za-z0-9_-]{86}$/);
    expect(event).toMatchObject({ seq: 2 });
    expect(event).not.toHaveProperty('sig');
  });

  it.each<[string, Publish, object]>([
    [
      'an offer',
      publish({ kind: 'offer', owner: 'alpha', item: 'j1' }, createOffer()),
      { type: 'OfferHeard', owner: 'alpha', item: 'j1' },
    ],
    [
      'a lease',
      publish({ kind: 'lease', owner: 'alpha', item: 'j1' }, { epoch: 1, to: 'alpha', renewal: 1, order: 'hold' }),
      { type: 'LeaseHeard' },
    ],
    [
      'a claim of its own item',
      publish({ kind: 'claim', owner: 'alpha', item: 'j1', node: 'alpha' }, claimBody),
      { type: 'ItemInput', input: { type: 'ClaimHeard', from: 'alpha' } },
    ],
    [
      'a result of its own item',
      publish({ kind: 'result', owner: 'alpha', item: 'j1', node: 'alpha' }, createResult()),
      { type: 'ItemInput', input: { type: 'ResultHeard', from: 'alpha' } },
    ],
  ])('hears %s itself, without any broker', (_title, message, input) => {
    const { publisher, heard } = setUp();
    publisher.publish(message);
    expect(heard).toMatchObject([input]);
  });

  it('does not feed back a claim of another owner’s item', () => {
    const { publisher, heard } = setUp();
    publisher.publish(publish({ kind: 'claim', owner: 'beta', item: 'j1', node: 'alpha' }, claimBody));
    expect(heard).toEqual([]);
  });

  it('clears a retained topic with an empty payload', () => {
    const { publisher, published } = setUp();
    publisher.clearRetained({ kind: 'status', owner: 'alpha', item: 'j1' });
    publisher.publishText({ kind: 'trit', node: 'alpha' }, '-1');
    expect(published).toEqual([
      { topic: 't/work/alpha/j1/status', payload: '', qos: 1, retain: true },
      { topic: 't/node/alpha/trit', payload: '-1', qos: 1, retain: true },
    ]);
  });
});
