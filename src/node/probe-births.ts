/**
 * Reads what the broker retains of a node before that node publishes anything: births under its id and births with its
 * key. It uses a bus with its own client id, so it throws nobody off the broker. It decides nothing.
 */
import { debounceTime, filter, firstValueFrom, map, merge, of, skip, startWith, switchMap, take, timer } from 'rxjs';
import type { Bus, BusMessage } from '../bus/bus.js';
import type { Identity } from '../identity/identity.js';
import { decodeMessage } from '../protocol/codec.js';
import type { Proof } from '../protocol/envelope.js';
import type { Info } from '../protocol/messages.js';
import type { Status } from '../protocol/status.js';
import { formatTopic, kindFilter, parseTopic } from '../protocol/topics.js';

/** A birth that the broker retains. */
export interface SeenBirth {
  readonly id: string;
  readonly host: string;
  readonly key: string;
  readonly boot: number;
  /** The broker has it as online; it may still have gone silently. */
  readonly online: boolean;
}

/** What was found. */
export interface KnownBirths {
  /** Why the broker did not answer; `undefined` when it did. */
  readonly unreached: string | undefined;
  readonly births: readonly SeenBirth[];
  /** The statuses that this id left on the broker, by item: those signed with its key, and the topics of all. */
  readonly statuses: ReadonlyMap<string, Status>;
  readonly statusTopics: readonly string[];
  /** Boot and mark of its last state. */
  readonly said: { readonly boot: number; readonly mark: number } | undefined;
}

/** Whose messages to look for. */
export interface ProbeBirthsOptions {
  readonly base: string;
  readonly id: string;
  readonly identity: Identity;
}

/** The retained messages have arrived when none came for this long; waiting for them ends after the second time, ms. */
const QUIET_MS = 400;
const LOOK_MS_MAX = 5000;

/** Reads once, over a bus that is not connected yet, and closes it. Never rejects. */
export async function probeBirths(bus: Bus, options: ProbeBirthsOptions): Promise<KnownBirths> {
  const seen = collect(bus, options);
  const unreached = await replayed(bus);
  await new Promise<void>((resolve) => bus.close(resolve));
  return { unreached, ...seen() };
}

/** Subscribes; returns the function that returns what was received. */
export function collect(bus: Bus, { base, id, identity }: ProbeBirthsOptions): () => Omit<KnownBirths, 'unreached'> {
  const infos = new Map<string, Info & { readonly boot: number }>();
  const online = new Set<string>();
  const statuses = new Map<string, Status>();
  const statusTopics = new Set<string>();
  let said: KnownBirths['said'];
  const take = (message: BusMessage): void => {
    const topic = parseTopic(base, message.topic);
    if (topic?.kind === 'availability') {
      if (Buffer.from(message.payload).toString() === 'online') online.add(topic.node);
      else online.delete(topic.node);
    }
    if (topic?.kind === 'status' && message.payload.byteLength > 0) {
      statusTopics.add(message.topic);
      const status = decodeMessage(base, topic, message.payload);
      if (status.ok && isSigned(status, identity.publicKey, identity)) statuses.set(topic.item, status.value);
    }
    if (topic?.kind === 'state' && topic.node === id) {
      const state = decodeMessage(base, topic, message.payload);
      if (state.ok && isSigned(state, identity.publicKey, identity))
        said = { boot: state.value.boot, mark: state.value.mark ?? 0 };
    }
    if (topic?.kind !== 'info') return;
    const info = decodeMessage(base, topic, message.payload);
    // Only a message that it has signed proves whose key it is.
    if (info.ok && isSigned(info, info.value.key, identity)) infos.set(topic.node, info.value);
  };
  bus.messages$.subscribe(take);
  bus.subscribe([
    kindFilter(base, 'info'),
    kindFilter(base, 'availability'),
    formatTopic(base, { kind: 'status', owner: id, item: '+' }),
    formatTopic(base, { kind: 'state', node: id }),
  ]);
  return () => ({
    births: [...infos].map(([node, { host, key, boot }]) => ({ id: node, host, key, boot, online: online.has(node) })),
    statuses,
    statusTopics: [...statusTopics],
    said,
  });
}

function isSigned({ proof }: { readonly proof: Proof | undefined }, key: string, identity: Identity): boolean {
  return proof !== undefined && identity.verify(key, proof.covered, proof.signature);
}

/**
 * Connects, and waits until the retained messages must have arrived; returns the reason at once if there is no broker.
 */
export async function replayed(bus: Bus): Promise<string | undefined> {
  const answer$ = bus.link$.pipe(
    // The current state, `not connected yet`, is not an answer.
    skip(1),
    switchMap((link) => (link.state === 'online' ? quiet(bus) : of(link.reason))),
    take(1),
  );
  const answer = firstValueFrom(answer$);
  bus.connect();
  return answer;
}

function quiet(bus: Bus) {
  // In a large mesh, live messages never end.
  const silence$ = bus.messages$.pipe(
    filter((message) => message.retained),
    startWith(undefined),
    debounceTime(QUIET_MS),
  );
  return merge(silence$, timer(LOOK_MS_MAX)).pipe(map(() => undefined));
}
