/**
 * Asks whether another node has this node's key, before this node publishes anything: a signed ping, sent with its own
 * client id to the node's own id. A running twin answers it, and one that is also probing receives it too. It decides
 * nothing.
 */
import { firstValueFrom, skip, timer } from 'rxjs';
import type { Bus, BusMessage } from '../bus/bus.js';
import type { TwinContext } from '../core/identity/twin.js';
import type { Identity } from '../identity/identity.js';
import { decodeMessage } from '../protocol/codec.js';
import { sealMessage } from '../protocol/envelope.js';
import { decodeRequest, twinAskSchema, type TwinAsk } from '../protocol/requests.js';
import { formatTopic, parseTopic } from '../protocol/topics.js';

/** Which node asks, and how. */
export interface ProbeTwinOptions {
  readonly base: string;
  readonly id: string;
  readonly identity: Identity;
  readonly mine: TwinAsk;
  /** How long a twin may take to answer, ms. */
  readonly answerMs: number;
  /** Wall clock, ms. */
  wall(): number;
}

/** A twin that was heard. */
export interface HeardTwin {
  readonly facts: TwinContext;
  /** It stops for this one. */
  readonly yields: boolean;
}

/** The outcome of a probe. */
export interface TwinAnswer {
  /** Why the broker did not answer; `undefined` when it did. */
  readonly unreached: string | undefined;
  readonly twin: HeardTwin | undefined;
}

/** Number of pings sent while waiting for an answer. */
const TRIES = 3;

/** Asks once, over a bus that is not connected yet, and closes it. Never rejects. */
export async function probeTwin(bus: Bus, options: ProbeTwinOptions): Promise<TwinAnswer> {
  const { base, id } = options;
  let twin: HeardTwin | undefined;
  const met = new Set<string>();
  const hearing = bus.messages$.subscribe((message) => {
    const heard = handleTwin(message, options);
    // Another node that is probing may have missed earlier pings, and both must judge.
    if (heard !== undefined && !met.has(heard.facts.instance)) publishPing(bus, options);
    if (heard !== undefined) met.add(heard.facts.instance);
    // A twin that yields is not an obstacle; one that does not yield is.
    if (heard !== undefined && (twin === undefined || twin.yields)) twin = heard;
  });
  bus.subscribe([
    formatTopic(base, { kind: 'response', node: id, verb: 'ping' }),
    formatTopic(base, { kind: 'request', node: id, verb: 'ping' }),
  ]);
  const first = firstValueFrom(bus.link$.pipe(skip(1)));
  bus.connect();
  const link = await first;
  if (link.state === 'online') {
    const hasHeard = (): boolean => twin !== undefined;
    for (let left = TRIES; left > 0 && !hasHeard(); left -= 1) {
      publishPing(bus, options);
      await firstValueFrom(timer(options.answerMs / TRIES));
    }
  }
  hearing.unsubscribe();
  await new Promise<void>((resolve) => bus.close(resolve));
  return { unreached: link.state === 'online' ? undefined : link.reason, twin };
}

function publishPing(bus: Bus, { base, id, identity, mine, wall }: ProbeTwinOptions): void {
  const topic = formatTopic(base, { kind: 'request', node: id, verb: 'ping' });
  const stamp = { ts: new Date(wall()).toISOString(), boot: 0, seq: 1 };
  const body = { from: id, transaction: mine.instance, twin: mine };
  bus.publish({ topic, payload: sealMessage(topic, body, stamp, identity.sign), qos: 1, retain: false });
}

function handleTwin(message: BusMessage, options: ProbeTwinOptions): HeardTwin | undefined {
  if (message.retained) return undefined;
  const topic = parseTopic(options.base, message.topic);
  if (topic?.kind === 'request') return handleAsker(message, options);
  return topic?.kind === 'response' ? handleAnswer(message, options) : undefined;
}

/** Another node that is probing for its twin: it judges from what we send. */
function handleAsker({ payload }: BusMessage, { base, id, identity, mine }: ProbeTwinOptions): HeardTwin | undefined {
  const decoded = decodeRequest(base, id, 'ping', payload);
  if (!decoded.ok || decoded.value.verb !== 'ping' || decoded.proof === undefined) return undefined;
  const { twin } = decoded.value;
  if (twin === undefined || twin.instance === mine.instance) return undefined;
  const { covered, signature } = decoded.proof;
  return identity.verify(identity.publicKey, covered, signature) ? { facts: twin, yields: false } : undefined;
}

/** Accepts only the answer to our own ping, signed with our own key. */
function handleAnswer(message: BusMessage, { base, id, identity, mine }: ProbeTwinOptions): HeardTwin | undefined {
  const topic = { kind: 'response', node: id, verb: 'ping' } as const;
  const decoded = decodeMessage(base, topic, message.payload);
  if (!decoded.ok || decoded.proof === undefined || decoded.value.transaction !== mine.instance) return undefined;
  const { covered, signature } = decoded.proof;
  if (!identity.verify(identity.publicKey, covered, signature)) return undefined;
  const { boot, data } = decoded.value;
  const parsed = twinAskSchema.safeParse(data['twin']);
  if (!parsed.success) return { facts: { instance: '', host: '', fit: 'unknown', boot }, yields: false };
  if (parsed.data.instance === mine.instance) return undefined;
  return { facts: parsed.data, yields: data['yields'] === true };
}
