/**
 * Enforces the rules of authorize.ts and the passwords of the password file in aedes, and reports what was refused.
 * aedes answers a denied or oversized publish by closing the connection: MQTT 3.1.1 has no other way to refuse.
 */
import type { AedesOptions, Client } from 'aedes';
import { describeError } from '../src/os/errors.js';
import { authorizePublish, authorizeSubscribe, type BrokerUser } from './authorize.js';
import type { BrokerEvent } from './event.js';
import type { Authenticator } from './password-file.js';

/** Options of the guard. */
export interface GuardOptions {
  readonly base: string;
  /** Without an authenticator everyone is admitted, as `anonymous`. */
  readonly authenticator: Authenticator | undefined;
  readonly payloadBytesMax: number;
  readonly onEvent: (event: BrokerEvent) => void;
}

/** The callbacks that aedes consults. */
export type Guard = Required<
  Pick<AedesOptions, 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe'>
>;

/** CONNACK codes of MQTT 3.1.1. */
const UNAVAILABLE = 3;
const BAD_USER_OR_PASSWORD = 4;
const NOT_AUTHORIZED = 5;

interface Refusal {
  readonly code: typeof UNAVAILABLE | typeof BAD_USER_OR_PASSWORD | typeof NOT_AUTHORIZED;
  readonly reason: string;
}

/** Creates the guard of one broker. */
export function createGuard({ base, authenticator, payloadBytesMax, onEvent }: GuardOptions): Guard {
  const users = new WeakMap<Client, BrokerUser>();
  const willTopics = new WeakMap<Client, string>();

  async function login(
    client: Client,
    username: string | undefined,
    password: string | undefined,
  ): Promise<Refusal | undefined> {
    let user: BrokerUser | undefined;
    try {
      user = await identify(username, password);
    } catch (error) {
      return { code: UNAVAILABLE, reason: describeError(error) };
    }
    if (user === undefined) return { code: BAD_USER_OR_PASSWORD, reason: 'wrong user name or password' };
    const willTopic = willTopics.get(client);
    const fault = willTopic === undefined ? undefined : authorizePublish(base, user, willTopic);
    if (fault !== undefined) return { code: NOT_AUTHORIZED, reason: `will: ${fault}` };
    users.set(client, user);
    return undefined;
  }

  async function decide(...[client, username, password, answer]: Parameters<Guard['authenticate']>): Promise<void> {
    const refusal = await login(client, username, password?.toString('utf8'));
    if (refusal === undefined) return answer(null, true);
    onEvent({ kind: 'login-denied', client: client.id, user: username, reason: refusal.reason });
    answer(Object.assign(new Error(refusal.reason), { returnCode: refusal.code }), false);
  }

  async function identify(username: string | undefined, password: string | undefined): Promise<BrokerUser | undefined> {
    if (authenticator === undefined) return 'anonymous';
    return username === undefined || password === undefined
      ? undefined
      : authenticator.authenticate(username, password);
  }

  function checkPublish(client: Client | null, topic: string, payloadBytes: number): string | undefined {
    // No client: the will of one that was connected when this broker crashed. It was checked when that client
    // connected.
    if (client === null) return undefined;
    const user = users.get(client);
    if (user === undefined) return 'not logged in';
    if (payloadBytes > payloadBytesMax)
      return `payload of ${payloadBytes} bytes, at most ${payloadBytesMax} are accepted`;
    return authorizePublish(base, user, topic);
  }

  return {
    preConnect(client, packet, callback) {
      if (packet.will !== undefined) willTopics.set(client, packet.will.topic);
      // No sessions: the queue of an absent client would have no limit, and later messages would overtake those that
      // are still being stored (see retained-store.ts). Clients see this in the session-present flag of CONNACK.
      packet.clean = true;
      callback(null, true);
    },
    authenticate(client, username, password, answer) {
      void decide(client, username, password, answer);
    },
    authorizePublish(client, { topic, payload }, callback) {
      const reason = checkPublish(client, topic, Buffer.byteLength(payload));
      if (reason === undefined) return callback(null);
      onEvent({ kind: 'publish-denied', client: client?.id ?? '', topic, reason });
      callback(new Error(reason));
    },
    authorizeSubscribe(client, subscription, callback) {
      const reason = authorizeSubscribe(subscription.topic);
      if (reason === undefined) return callback(null, subscription);
      onEvent({ kind: 'subscribe-denied', client: client.id, filter: subscription.topic, reason });
      callback(null, null);
    },
  };
}
