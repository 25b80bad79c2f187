/**
 * Sends requests to a node over the bus and waits for the answer: one request, one transaction, one response. The error
 * tells whether the node is unknown, offline, silent, or refused.
 */
import { randomBytes } from 'node:crypto';
import { filter, firstValueFrom, map, NEVER, ReplaySubject, Subject, takeUntil, timer, type Observable } from 'rxjs';
import { BusOffline, type Bus } from '../../bus/bus.js';
import type { Clock } from '../../clock/clock.js';
import type { Signer } from '../../compose/client.js';
import { decodeBusEvent, type BusEvent } from '../../observe/bus-event.js';
import { describeError } from '../../os/errors.js';
import { sealMessage } from '../../protocol/envelope.js';
import type { Response } from '../../protocol/messages.js';
import { UNSIGNED_VERBS, type Verb } from '../../protocol/requests.js';
import { formatTopic, type Topic } from '../../protocol/topics.js';

/** Options of {@link createRequestClient}. */
export interface RequestClientOptions {
  /** Must not be connected yet: the client subscribes first. */
  readonly bus: Bus;
  readonly base: string;
  readonly clock: Clock;
  /** The node that receives the requests. */
  readonly node: string;
  readonly verbs: readonly Verb[];
  /** The key to sign with, if there is one. */
  readonly signer: Signer | undefined;
  /** How long the node may take to answer, ms. Default 10,000. */
  readonly answerMs?: number | undefined;
}

/** Sends requests to one node. */
export interface RequestClient {
  /** Sends one request and resolves with its answer; the bus must be connected. Rejects with {@link RequestFailed}. */
  send(verb: Verb, body?: object): Promise<Response>;
}

/** Why a request failed. */
export type RequestFault =
  | 'unknown'
  | 'offline'
  | 'unsigned'
  /** The connection ended: the request may be sent again. */
  | 'unsent'
  /** The bus or the broker rejects it: sending it again does not help. */
  | 'unsendable'
  | 'silent'
  | 'refused';

/** A request failed; the message is a sentence for people. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
  readonly fault: RequestFault;
  readonly node: string;
  readonly verb: Verb;
  /** The code of the node's reason, if it sent one. */
  readonly code: string | undefined;

  constructor(fault: RequestFault, node: string, verb: Verb, reason: string, code?: string) {
    super(`${verb}: ${reason}`);
    this.fault = fault;
    this.node = node;
    this.verb = verb;
    this.code = code;
  }
}

/** How long an answer may take, ms. */
const ANSWER_MS = 10_000;
/** How long retained messages may take to arrive after the subscription was granted, ms. */
const RETAINED_MS = 1000;

/** Creates a request client; must be called before the bus connects. */
export function createRequestClient(options: RequestClientOptions): RequestClient {
  const { bus, base, clock, node, signer } = options;
  const { answers$, last } = collect(options);

  async function checkAvailability(verb: Verb): Promise<void> {
    const word = await firstSoon(last({ kind: 'availability', node }), clock, RETAINED_MS);
    if (word === undefined) {
      throw new RequestFailed('unknown', node, verb, `no node "${node}" is known below ${base}; is it running?`);
    }
    if (word.type === 'word' && word.text !== 'online') {
      throw new RequestFailed('offline', node, verb, `node "${node}" is offline`);
    }
  }

  async function seal(verb: Verb, topic: string, body: object): Promise<string> {
    if (!(await mustSign(verb))) return JSON.stringify(body);
    const stamp = { ts: new Date(clock.wall()).toISOString(), boot: 0, seq: 1 };
    return sealMessage(topic, { from: signer?.id, ...body }, stamp, signer?.identity.sign);
  }

  /** Whether to sign: always where it is required, otherwise only with the key that the mesh knows for the signer. */
  async function mustSign(verb: Verb): Promise<boolean> {
    const isFree = UNSIGNED_VERBS.includes(verb);
    if (signer === undefined) {
      if (isFree) return false;
      throw new RequestFailed(
        'unsigned',
        node,
        verb,
        'must be signed, but the state directory holds no node key to sign with',
      );
    }
    const birth = await firstSoon(last({ kind: 'info', node: signer.id }), clock, RETAINED_MS);
    const key = birth?.type === 'message' && birth.kind === 'info' ? birth.message.key : undefined;
    if (key === signer.identity.publicKey) return true;
    if (isFree) return false;
    if (key === undefined) return true;
    throw new RequestFailed(
      'unsigned',
      node,
      verb,
      `the key in the state directory is not that of node "${signer.id}"`,
    );
  }

  return {
    async send(verb, body = {}) {
      await checkAvailability(verb);
      const transaction = randomBytes(8).toString('hex');
      const topic = formatTopic(base, { kind: 'request', node, verb });
      const payload = await seal(verb, topic, { transaction, ...body });
      const answered = firstSoon(
        answers$.pipe(
          map((event) => readAnswer(event, node, verb, transaction)),
          filter((response) => response !== undefined),
        ),
        clock,
        options.answerMs ?? ANSWER_MS,
      );
      const sent = publish(bus, topic, payload).catch((error: unknown) => {
        throw new RequestFailed(
          error instanceof BusOffline ? 'unsent' : 'unsendable',
          node,
          verb,
          `could not be sent: ${describeError(error)}`,
        );
      });
      // A hung node does not even acknowledge the request.
      const response = await Promise.race([sent.then(() => answered), answered]);
      if (response === undefined)
        throw new RequestFailed('silent', node, verb, describeSilence(node, options.answerMs));
      if (response.status === 'ok') return response;
      throw new RequestFailed('refused', node, verb, response.error ?? `node "${node}" refused it`, response.code);
    },
  };
}

/**
 * Collects answers and retained messages from before the connection on. Of a retained topic the last message counts: a
 * client may live for days, and its node may have come and gone in the meantime.
 */
function collect({ bus, base, node, verbs, signer }: RequestClientOptions): {
  readonly answers$: Observable<BusEvent>;
  last(topic: Topic): Observable<BusEvent>;
} {
  const about = new Set([node, ...(signer === undefined ? [] : [signer.id])]);
  const name = (topic: Topic): string => formatTopic(base, topic);
  const retained = new Map<string, Subject<BusEvent>>(
    [name({ kind: 'availability', node }), ...[...about].map((one) => name({ kind: 'info', node: one }))].map(
      (topic) => [topic, new ReplaySubject<BusEvent>(1)],
    ),
  );
  const answers = new Set(verbs.map((verb) => name({ kind: 'response', node, verb })));
  const answers$ = new Subject<BusEvent>();
  bus.messages$.subscribe((message) => {
    const to = answers.has(message.topic) ? answers$ : retained.get(message.topic);
    to?.next(decodeBusEvent(base, message));
  });
  bus.subscribe([...retained.keys(), ...answers]);
  return { answers$, last: (topic) => retained.get(name(topic)) ?? NEVER };
}

function readAnswer(event: BusEvent, node: string, verb: Verb, transaction: string): Response | undefined {
  if (event.type !== 'message' || event.kind !== 'response') return undefined;
  const isOurs = event.topic.node === node && event.topic.verb === verb && event.message.transaction === transaction;
  return isOurs ? event.message : undefined;
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
