/**
 * Asks a node for something over the bus and waits for its answer: one request, one transaction, one response. It says
 * plainly when the node is unknown, offline, silent, or answers no.
 */
import { randomBytes } from 'node:crypto';
import { filter, firstValueFrom, map, NEVER, ReplaySubject, Subject, takeUntil, timer, type Observable } from 'rxjs';
import { BusOffline, type Bus } from '../bus/bus.js';
import type { Clock } from '../clock/clock.js';
import type { Signer } from '../compose-client.js';
import { readHeard, type Heard } from '../observe/heard.js';
import { sealMessage } from '../protocol/envelope.js';
import type { Response } from '../protocol/messages.js';
import { UNSIGNED_VERBS, type Verb } from '../protocol/requests.js';
import { formatTopic, type Topic } from '../protocol/topics.js';

/** Who asks whom. */
export interface AskerOptions {
  /** Not connected yet: the asker subscribes first. */
  readonly bus: Bus;
  readonly base: string;
  readonly clock: Clock;
  /** The node that is asked. */
  readonly node: string;
  readonly verbs: readonly Verb[];
  /** The key to sign with, where there is one. */
  readonly signer: Signer | undefined;
  /** How long the node may take to answer. Default 10,000. */
  readonly answerMs?: number | undefined;
}

/** Asks one node. */
export interface Asker {
  /** Sends one request, once the bus is connected. Rejects with {@link AskFailed}. */
  ask(verb: Verb, body?: object): Promise<Response>;
}

/** Why there is no good answer. */
export type AskFault =
  | 'unknown'
  | 'offline'
  | 'unsigned'
  /** The connection ended: it may be sent again. */
  | 'unsent'
  /** The bus or the broker does not take it: sending it again is of no use. */
  | 'unsendable'
  | 'silent'
  | 'refused';

/** The node did not do what was asked; the message is a sentence for people. */
export class AskFailed extends Error {
  override readonly name = 'AskFailed';
  readonly fault: AskFault;
  readonly node: string;
  readonly verb: Verb;

  constructor(fault: AskFault, node: string, verb: Verb, reason: string) {
    super(`${verb}: ${reason}`);
    this.fault = fault;
    this.node = node;
    this.verb = verb;
  }
}

/** How long an answer may take. */
const ANSWER_MS = 10_000;
/** How long retained messages may be on their way after the subscription was granted. */
const RETAINED_MS = 1000;

/** Makes an asker; make it before the bus connects. */
export function createAsker(options: AskerOptions): Asker {
  const { bus, base, clock, node, signer } = options;
  const { answers$, last } = collect(options);

  async function isThere(verb: Verb): Promise<void> {
    const word = await firstSoon(last({ kind: 'availability', node }), clock, RETAINED_MS);
    if (word === undefined) {
      throw new AskFailed('unknown', node, verb, `no node "${node}" is known below ${base}; is it running?`);
    }
    if (word.type === 'word' && word.text !== 'online') {
      throw new AskFailed('offline', node, verb, `node "${node}" is offline`);
    }
  }

  async function seal(verb: Verb, topic: string, body: object): Promise<string> {
    if (!(await mustSign(verb))) return JSON.stringify(body);
    const stamp = { ts: new Date(clock.wall()).toISOString(), boot: 0, seq: 1 };
    return sealMessage(topic, { from: signer?.id, ...body }, stamp, signer?.identity.sign);
  }

  /** Signs what must be signed, and what may be signed when the key is the one that the mesh knows. */
  async function mustSign(verb: Verb): Promise<boolean> {
    const isFree = UNSIGNED_VERBS.includes(verb);
    if (signer === undefined) {
      if (isFree) return false;
      throw new AskFailed('unsigned', node, verb, 'must be signed, and the state directory holds no node key to do it');
    }
    const birth = await firstSoon(last({ kind: 'info', node: signer.id }), clock, RETAINED_MS);
    const key = birth?.type === 'message' && birth.kind === 'info' ? birth.message.key : undefined;
    if (key === signer.identity.publicKey) return true;
    if (isFree) return false;
    if (key === undefined) return true;
    throw new AskFailed('unsigned', node, verb, `the key in the state directory is not the one of node "${signer.id}"`);
  }

  return {
    async ask(verb, body = {}) {
      await isThere(verb);
      const transaction = randomBytes(8).toString('hex');
      const topic = formatTopic(base, { kind: 'request', node, verb });
      const payload = await seal(verb, topic, { transaction, ...body });
      const answered = firstSoon(
        answers$.pipe(
          map((heard) => readAnswer(heard, node, verb, transaction)),
          filter((response) => response !== undefined),
        ),
        clock,
        options.answerMs ?? ANSWER_MS,
      );
      const sent = publish(bus, topic, payload).catch((error: unknown) => {
        throw new AskFailed(
          error instanceof BusOffline ? 'unsent' : 'unsendable',
          node,
          verb,
          `could not be sent: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
      // A node that stands still does not even take the request.
      const response = await Promise.race([sent.then(() => answered), answered]);
      if (response === undefined) throw new AskFailed('silent', node, verb, describeSilence(node, options.answerMs));
      if (response.status === 'ok') return response;
      throw new AskFailed('refused', node, verb, response.error ?? `node "${node}" refused it`);
    },
  };
}

/**
 * What is heard since before the connection. Of a retained topic the last message counts: an asker may live for days, and
 * its node may have come and gone in the meantime.
 */
function collect({ bus, base, node, verbs, signer }: AskerOptions): {
  readonly answers$: Observable<Heard>;
  last(topic: Topic): Observable<Heard>;
} {
  const about = new Set([node, ...(signer === undefined ? [] : [signer.id])]);
  const name = (topic: Topic): string => formatTopic(base, topic);
  const retained = new Map<string, Subject<Heard>>(
    [name({ kind: 'availability', node }), ...[...about].map((one) => name({ kind: 'info', node: one }))].map(
      (topic) => [topic, new ReplaySubject<Heard>(1)],
    ),
  );
  const answers = new Set(verbs.map((verb) => name({ kind: 'response', node, verb })));
  const answers$ = new Subject<Heard>();
  bus.messages$.subscribe((message) => {
    const to = answers.has(message.topic) ? answers$ : retained.get(message.topic);
    to?.next(readHeard(base, message));
  });
  bus.subscribe([...retained.keys(), ...answers]);
  return { answers$, last: (topic) => retained.get(name(topic)) ?? NEVER };
}

function readAnswer(heard: Heard, node: string, verb: Verb, transaction: string): Response | undefined {
  if (heard.type !== 'message' || heard.kind !== 'response') return undefined;
  const isOurs = heard.topic.node === node && heard.topic.verb === verb && heard.message.transaction === transaction;
  return isOurs ? heard.message : undefined;
}

function describeSilence(node: string, answerMs: number = ANSWER_MS): string {
  return `node "${node}" did not answer within ${answerMs / 1000} s`;
}

/** The first value, or `undefined` when none came in time. */
function firstSoon<T>(value$: Observable<T>, clock: Clock, ms: number): Promise<T | undefined> {
  return firstValueFrom(value$.pipe(takeUntil(timer(ms, clock.scheduler))), { defaultValue: undefined });
}

function publish(bus: Bus, topic: string, payload: string): Promise<void> {
  return new Promise((resolve, reject) => {
    bus.publish({ topic, payload, qos: 1, retain: false }, (error) =>
      error === undefined ? resolve() : reject(error),
    );
  });
}
