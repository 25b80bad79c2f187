/** Requests to a small node on the in-memory bus: answers, refusals, silence, and which requests must be signed. */
import { generateKeyPairSync } from 'node:crypto';
import { asyncScheduler, filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../../src/bus/bus.js';
import { createMemoryBroker, type MemoryBroker } from '../../../src/bus/memory-broker.js';
import { createMemoryBus } from '../../../src/bus/memory-bus.js';
import { RequestFailed, createRequestClient, type RequestClient } from '../../../src/cli/request/request-client.js';
import type { Clock } from '../../../src/clock/clock.js';
import type { Signer } from '../../../src/compose/client.js';
import { createIdentity } from '../../../src/identity/create-identity.js';
import { sealMessage } from '../../../src/protocol/envelope.js';
import { decodeRequest, type Request, type Verb } from '../../../src/protocol/requests.js';
import { formatTopic, parseTopic, type Topic } from '../../../src/protocol/topics.js';
import type { Decoded } from '../../../src/protocol/codec.js';

const BASE = 'tritmesh';
const clock: Clock = { now: () => performance.now(), wall: () => Date.now(), scheduler: asyncScheduler };
const identity = createIdentity(generateKeyPairSync('ed25519').privateKey);
const signer: Signer = { id: 'alpha', identity };

let broker: MemoryBroker;
const closers: (() => void)[] = [];

beforeEach(() => {
  broker = createMemoryBroker();
});

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe('a request', () => {
  it('resolves with the answer of its transaction', async () => {
    const node = await startNode(() => ({ status: 'ok', data: { pong: true } }));
    node.say({ kind: 'response', node: 'alpha', verb: 'ping' }, { status: 'ok', data: {}, transaction: 'of another' });
    const requests = await openRequests({});
    expect((await requests.send('ping')).data).toEqual({ pong: true });
  });

  it('is signed where it must be, with a signature that is valid for its topic', async () => {
    const node = await startNode(() => ({ status: 'ok', data: {} }));
    const requests = await openRequests({ signer });
    await requests.send('run', { item: { item: 'k1', name: 'true', command: { argv: ['true'] } } });
    const heard = node.requests[0];
    expect(heard).toMatchObject({ ok: true, value: { verb: 'run', from: 'alpha' } });
    const proof = heard?.ok === true ? heard.proof : undefined;
    expect(identity.verify(identity.publicKey, proof?.covered ?? '', proof?.signature ?? '')).toBe(true);
  });

  it('stays unsigned, if it may, when the mesh knows another key', async () => {
    const node = await startNode(() => ({ status: 'ok', data: {} }));
    const stranger = createIdentity(generateKeyPairSync('ed25519').privateKey);
    const requests = await openRequests({ signer: { id: 'alpha', identity: stranger } });
    await requests.send('drain', { value: 'ON' });
    expect(node.requests[0]).toMatchObject({ ok: true, proof: undefined });
    await expect(requests.send('run', {})).rejects.toThrow(/not that of node "alpha"/);
  });

  it('fails without a key when it must be signed', async () => {
    await startNode(() => ({ status: 'ok', data: {} }));
    const requests = await openRequests({});
    await expect(requests.send('run', {})).rejects.toMatchObject({
      name: 'RequestFailed',
      fault: 'unsigned',
      verb: 'run',
    });
  });

  it('fails with the reason of a node that refuses', async () => {
    await startNode(() => ({ status: 'error', error: 'no item k9 here', data: {} }));
    const requests = await openRequests({});
    await expect(requests.send('cancel', { item: 'k9' })).rejects.toThrow('cancel: no item k9 here');
  });

  it('fails with the code of the reason, if the node sends one', async () => {
    await startNode(() => ({ status: 'error', error: 'no such request: cancel', code: 'no-such-request', data: {} }));
    const requests = await openRequests({});
    await expect(requests.send('cancel', { item: 'k9' })).rejects.toMatchObject({
      fault: 'refused',
      code: 'no-such-request',
    });
  });

  it('fails when the node is offline', async () => {
    const node = await startNode(() => undefined);
    node.sayWord('offline');
    const requests = await openRequests({});
    await expect(requests.send('ping')).rejects.toMatchObject({ fault: 'offline' });
  });

  it('fails when the node is not known', async () => {
    const requests = await openRequests({ node: 'nobody' });
    await expect(requests.send('ping')).rejects.toMatchObject({
      fault: 'unknown',
      message: 'ping: no node "nobody" is known below tritmesh; is it running?',
    });
  });

  it('times out when the node does not even acknowledge it', async () => {
    await startNode(() => undefined);
    // A hung node keeps its local socket open.
    const requests = await openRequests({ answerMs: 50, change: (bus) => ({ ...bus, publish: () => undefined }) });
    await expect(requests.send('ping')).rejects.toMatchObject({ fault: 'silent' });
  });

  it('times out when the node does not answer', async () => {
    await startNode(() => undefined);
    const requests = await openRequests({ answerMs: 50 });
    const failure: unknown = await requests.send('ping').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RequestFailed);
    expect(failure).toMatchObject({ fault: 'silent', message: 'ping: node "alpha" did not answer within 0.05 s' });
  });
});

interface FakeNode {
  readonly requests: readonly Decoded<Request>[];
  say(topic: Topic, body: object): void;
  sayWord(word: 'online' | 'offline'): void;
}

/** A node that answers requests and does nothing else. */
async function startNode(answer: (request: Request) => object | undefined): Promise<FakeNode> {
  const bus = await connect('node-alpha', [formatTopic(BASE, { kind: 'request', node: 'alpha', verb: '+' })]);
  const requests: Decoded<Request>[] = [];
  const stamp = { ts: new Date().toISOString(), boot: 1, seq: 1 };
  const publish = (topic: Topic, payload: string, retain: boolean): void =>
    bus.publish({ topic: formatTopic(BASE, topic), payload, qos: 1, retain });
  const say = (topic: Topic, body: object, retain = false): void =>
    publish(topic, sealMessage(formatTopic(BASE, topic), body, stamp), retain);
  const sayWord = (word: string): void => publish({ kind: 'availability', node: 'alpha' }, word, true);

  bus.messages$.subscribe(({ topic: text, payload }) => {
    const topic = parseTopic(BASE, text);
    if (topic?.kind !== 'request') return;
    const verb = topic.verb as Verb;
    const request = decodeRequest(BASE, 'alpha', verb, payload);
    requests.push(request);
    const body = request.ok ? answer(request.value) : { status: 'error', error: request.reason, data: {} };
    if (body === undefined || !request.ok) return;
    say({ kind: 'response', node: 'alpha', verb }, { ...body, transaction: request.value.transaction });
  });
  sayWord('online');
  say({ kind: 'info', node: 'alpha' }, birth, true);
  return { requests, say, sayWord };
}

const birth = {
  key: identity.publicKey,
  host: 'alpha',
  os: 'linux',
  arch: 'x64',
  cpus: 2,
  memory_bytes: 4e9,
  version: '0.1.0',
  transports: [],
  abilities: [],
  labels: [],
};

interface AskerChange {
  readonly node?: string;
  readonly signer?: Signer;
  readonly answerMs?: number;
  readonly change?: (bus: Bus) => Bus;
}

async function openRequests(change: AskerChange): Promise<RequestClient> {
  const own = createMemoryBus({ broker, clientId: 'cli' });
  const bus = change.change?.(own) ?? own;
  const requests = createRequestClient({
    bus,
    base: BASE,
    clock,
    node: change.node ?? 'alpha',
    verbs: ['ping', 'run', 'drain', 'cancel'],
    signer: change.signer,
    answerMs: change.answerMs,
  });
  await goOnline(bus);
  return requests;
}

async function connect(clientId: string, filters: readonly string[]): Promise<Bus> {
  const bus = createMemoryBus({ broker, clientId });
  bus.subscribe(filters);
  await goOnline(bus);
  return bus;
}

async function goOnline(bus: Bus): Promise<void> {
  closers.push(() => bus.close(() => {}));
  bus.connect();
  await firstValueFrom(bus.link$.pipe(filter((link) => link.state === 'online')));
}
