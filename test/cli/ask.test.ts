/** Asking a node, against a small node on the bus in memory: answers, refusals, silence, and who must sign. */
import { generateKeyPairSync } from 'node:crypto';
import { asyncScheduler, filter, firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../../src/bus/bus.js';
import { createMemoryBroker, type MemoryBroker } from '../../src/bus/memory-broker.js';
import { createMemoryBus } from '../../src/bus/memory-bus.js';
import { AskFailed, createAsker, type Asker } from '../../src/cli/ask.js';
import type { Clock } from '../../src/clock/clock.js';
import type { Signer } from '../../src/compose-client.js';
import { createIdentity } from '../../src/identity/create-identity.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import { decodeRequest, type Request, type Verb } from '../../src/protocol/requests.js';
import { formatTopic, parseTopic, type Topic } from '../../src/protocol/topics.js';
import type { Decoded } from '../../src/protocol/codec.js';

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

describe('asking a node', () => {
  it('gives the answer with the same transaction', async () => {
    const node = await startNode(() => ({ status: 'ok', data: { pong: true } }));
    node.say({ kind: 'response', node: 'alpha', verb: 'ping' }, { status: 'ok', data: {}, transaction: 'of another' });
    const asker = await openAsker({});
    expect((await asker.ask('ping')).data).toEqual({ pong: true });
  });

  it('signs what must be signed, and the signature fits the topic', async () => {
    const node = await startNode(() => ({ status: 'ok', data: {} }));
    const asker = await openAsker({ signer });
    await asker.ask('run', { item: { item: 'k1', name: 'true', command: { argv: ['true'] } } });
    const heard = node.requests[0];
    expect(heard).toMatchObject({ ok: true, value: { verb: 'run', from: 'alpha' } });
    const proof = heard?.ok === true ? heard.proof : undefined;
    expect(identity.verify(identity.publicKey, proof?.covered ?? '', proof?.signature ?? '')).toBe(true);
  });

  it('leaves what may be unsigned unsigned when the key is not the one that the mesh knows', async () => {
    const node = await startNode(() => ({ status: 'ok', data: {} }));
    const stranger = createIdentity(generateKeyPairSync('ed25519').privateKey);
    const asker = await openAsker({ signer: { id: 'alpha', identity: stranger } });
    await asker.ask('drain', { value: 'ON' });
    expect(node.requests[0]).toMatchObject({ ok: true, proof: undefined });
    await expect(asker.ask('run', {})).rejects.toThrow(/not the one of node "alpha"/);
  });

  it('says that a request must be signed when there is no key', async () => {
    await startNode(() => ({ status: 'ok', data: {} }));
    const asker = await openAsker({});
    await expect(asker.ask('run', {})).rejects.toMatchObject({ name: 'AskFailed', fault: 'unsigned', verb: 'run' });
  });

  it('says the reason when the node refuses', async () => {
    await startNode(() => ({ status: 'error', error: 'no item k9 here', data: {} }));
    const asker = await openAsker({});
    await expect(asker.ask('cancel', { item: 'k9' })).rejects.toThrow('cancel: no item k9 here');
  });

  it('says that a node is offline', async () => {
    const node = await startNode(() => undefined);
    node.sayWord('offline');
    const asker = await openAsker({});
    await expect(asker.ask('ping')).rejects.toMatchObject({ fault: 'offline' });
  });

  it('says that a node is not known', async () => {
    const asker = await openAsker({ node: 'nobody' });
    await expect(asker.ask('ping')).rejects.toMatchObject({
      fault: 'unknown',
      message: 'ping: no node "nobody" is known below tritmesh; is it running?',
    });
  });

  it('says that a node does not answer when not even the request is taken', async () => {
    await startNode(() => undefined);
    // A node that stands still holds its local socket open.
    const asker = await openAsker({ answerMs: 50, change: (bus) => ({ ...bus, publish: () => undefined }) });
    await expect(asker.ask('ping')).rejects.toMatchObject({ fault: 'silent' });
  });

  it('says that a node does not answer', async () => {
    await startNode(() => undefined);
    const asker = await openAsker({ answerMs: 50 });
    const failure: unknown = await asker.ask('ping').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AskFailed);
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

async function openAsker(change: AskerChange): Promise<Asker> {
  const own = createMemoryBus({ broker, clientId: 'cli' });
  const bus = change.change?.(own) ?? own;
  const asker = createAsker({
    bus,
    base: BASE,
    clock,
    node: change.node ?? 'alpha',
    verbs: ['ping', 'run', 'drain', 'cancel'],
    signer: change.signer,
    answerMs: change.answerMs,
  });
  await goOnline(bus);
  return asker;
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
