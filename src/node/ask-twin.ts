/**
 * Asks whether somebody else has this node's key, before this node says anything: a signed ping under a client id of its own, to
 * the node's own id. A twin that runs answers it, and one that is only looking, too, hears the same. It decides nothing.
 */
import { firstValueFrom, skip, timer } from 'rxjs';
import type { Bus, BusMessage } from '../bus/bus.js';
import type { TwinFacts } from '../core/twin.js';
import type { Identity } from '../identity/identity.js';
import { decodeMessage } from '../protocol/codec.js';
import { sealMessage } from '../protocol/envelope.js';
import { decodeRequest, twinAskSchema, type TwinAsk } from '../protocol/requests.js';
import { formatTopic, parseTopic } from '../protocol/topics.js';

/** Who asks. */
export interface AskTwinOptions {
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
  readonly facts: TwinFacts;
  /** It stops for this one. */
  readonly yields: boolean;
}

/** What came of asking. */
export interface TwinAnswer {
  /** Why the broker did not answer; `undefined` when it did. */
  readonly unreached: string | undefined;
  readonly twin: HeardTwin | undefined;
}

/** The ping is said so often while it is waited for an answer. */
const TRIES = 3;

/** Asks once, through a bus that is not connected yet; closes it. Never rejects. */
export async function askTwin(bus: Bus, options: AskTwinOptions): Promise<TwinAnswer> {
  const { base, id } = options;
  let twin: HeardTwin | undefined;
  const met = new Set<string>();
  const hearing = bus.messages$.subscribe((message) => {
    const heard = hearTwin(message, options);
    // One that looks, too, may have missed what was said before it came: both must judge.
    if (heard !== undefined && !met.has(heard.facts.instance)) sayPing(bus, options);
    if (heard !== undefined) met.add(heard.facts.instance);
    // What yields is no obstacle; one that does not is.
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
      sayPing(bus, options);
      await firstValueFrom(timer(options.answerMs / TRIES));
    }
  }
  hearing.unsubscribe();
  await new Promise<void>((resolve) => bus.close(resolve));
  return { unreached: link.state === 'online' ? undefined : link.reason, twin };
}

function sayPing(bus: Bus, { base, id, identity, mine, wall }: AskTwinOptions): void {
  const topic = formatTopic(base, { kind: 'request', node: id, verb: 'ping' });
  const stamp = { ts: new Date(wall()).toISOString(), boot: 0, seq: 1 };
  const body = { from: id, transaction: mine.instance, twin: mine };
  bus.publish({ topic, payload: sealMessage(topic, body, stamp, identity.sign), qos: 1, retain: false });
}

function hearTwin(message: BusMessage, options: AskTwinOptions): HeardTwin | undefined {
  if (message.retained) return undefined;
  const topic = parseTopic(options.base, message.topic);
  if (topic?.kind === 'request') return hearAsker(message, options);
  return topic?.kind === 'response' ? hearAnswer(message, options) : undefined;
}

/** Another one that looks for its twin: it judges for itself by what we say. */
function hearAsker({ payload }: BusMessage, { base, id, identity, mine }: AskTwinOptions): HeardTwin | undefined {
  const decoded = decodeRequest(base, id, 'ping', payload);
  if (!decoded.ok || decoded.value.verb !== 'ping' || decoded.proof === undefined) return undefined;
  const { twin } = decoded.value;
  if (twin === undefined || twin.instance === mine.instance) return undefined;
  const { covered, signature } = decoded.proof;
  return identity.verify(identity.publicKey, covered, signature) ? { facts: twin, yields: false } : undefined;
}

/** The answer to our own ping alone, signed with our own key. */
function hearAnswer(message: BusMessage, { base, id, identity, mine }: AskTwinOptions): HeardTwin | undefined {
  const topic = { kind: 'response', node: id, verb: 'ping' } as const;
  const decoded = decodeMessage(base, topic, message.payload);
  if (!decoded.ok || decoded.proof === undefined || decoded.value.transaction !== mine.instance) return undefined;
  const { covered, signature } = decoded.proof;
  if (!identity.verify(identity.publicKey, covered, signature)) return undefined;
  const { boot, data } = decoded.value;
  const told = twinAskSchema.safeParse(data['twin']);
  if (!told.success) return { facts: { instance: '', host: '', fit: 'unknown', boot }, yields: false };
  if (told.data.instance === mine.instance) return undefined;
  return { facts: told.data, yields: data['yields'] === true };
}
