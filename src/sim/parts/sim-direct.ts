/**
 * The Direct port between simulated machines. A connection takes time and needs packets to pass both ways. Messages for
 * a peer that cannot be called wait for its next call and travel in the response. Broken connections lose, delay and
 * duplicate messages.
 */
import type { Direct, DirectMessage, Peer, DirectVerdict } from '../../transfer/direct.js';
import type { MachinePower } from './machine-power.js';
import type { Network } from './network.js';
import type { Random } from '../plan/random.js';

/** How unreliable the direct paths are; 0 is perfect. */
export interface DirectPathFlaws {
  readonly losses: number;
  readonly duplicates: number;
  readonly lateMs: number;
  /** Additional delay of responses, ms. */
  readonly answersMs?: number | undefined;
  /** A node whose messages are all lost; it still receives. */
  readonly mute?: string | undefined;
}

/** A node that accepts calls. */
interface Endpoint {
  readonly place: string;
  readonly key: string;
  /**
   * Delivers a peer's messages. `respond` sends messages back, at once or later. False while the node is not open yet.
   */
  receive(key: string, messages: readonly DirectMessage[], respond: Respond): boolean;
}

type Respond = (messages: readonly DirectMessage[]) => void;

/** All direct paths of a world, by the place of the node that is called. */
export interface DirectPaths {
  readonly endpoints: Map<string, Endpoint>;
  /** Nodes that cannot be called. */
  readonly unreachable: Set<string>;
  flaws: DirectPathFlaws;
  /** Observers of every message that is sent. */
  readonly observers: ((from: string, message: DirectMessage) => void)[];
}

/** Direct paths without flaws. */
export const PERFECT_PATHS: DirectPathFlaws = { losses: 0, duplicates: 0, lateMs: 0 };

/** Creates the direct paths of a world. */
export function createDirectPaths(): DirectPaths {
  return { endpoints: new Map(), unreachable: new Set(), flaws: PERFECT_PATHS, observers: [] };
}

/** Dependencies of a node's direct path. */
export interface SimDirectDeps {
  readonly host: MachinePower;
  readonly boot: number;
  readonly network: Network;
  readonly paths: DirectPaths;
  readonly random: Random;
  readonly publicKey: string;
}

/** How long a call is held open for a response, and how long a message is kept for a peer that does not call, ms. */
const RESPONSE_HELD_MS = 2000;
const OUTBOX_KEPT_MS = 60_000;

/** Creates the direct path of one boot of a node. */
export function createSimDirect(deps: SimDirectDeps): Direct {
  const { host, boot, network, paths, random } = deps;
  const outbox = new Map<string, { readonly message: DirectMessage; readonly at: number }[]>();
  const heldResponses = new Map<string, Respond>();
  let onMessage: ((peerKey: string, message: DirectMessage) => DirectVerdict) | undefined;

  const delayMs = (): number => 0.5 + random.next() * 4 + random.next() * paths.flaws.lateMs;

  function takeOutbox(key: string): readonly DirectMessage[] {
    const waiting = outbox.get(key) ?? [];
    outbox.delete(key);
    return waiting.filter(({ at }) => host.now() - at < OUTBOX_KEPT_MS).map(({ message }) => message);
  }

  function flush({ key, urls }: Peer): void {
    const respond = heldResponses.get(key);
    heldResponses.delete(key);
    if (respond !== undefined) return respond(takeOutbox(key));
    const place = urls.map((url) => new URL(url).hostname).find((name) => paths.endpoints.has(name));
    if (place !== undefined) host.after(boot, delayMs() + delayMs(), () => call(place, key));
  }

  function call(place: string, key: string): void {
    const endpoint = paths.endpoints.get(place);
    if (endpoint === undefined || endpoint.key !== key || paths.unreachable.has(place) || !connects(place)) return;
    const messages = takeOutbox(key);
    if (messages.length === 0) return;
    const brought = paths.flaws.mute === host.id ? [] : messages.flatMap((message) => applyFlaws(message));
    const isTaken = endpoint.receive(deps.publicKey, brought, (answers) => {
      // A response that has been sent arrives, even if the path is cut meanwhile.
      if (!connects(place) || paths.flaws.mute === place) return;
      const heldBackMs = (paths.flaws.answersMs ?? 0) * (0.8 + 0.2 * random.next());
      host.after(boot, delayMs() + heldBackMs, () => {
        for (const answer of answers.flatMap((message) => applyFlaws(message))) onMessage?.(key, answer);
      });
    });
    if (!isTaken) for (const message of messages) keep(key, message);
  }

  function connects(place: string): boolean {
    return network.connects(host.id, place);
  }

  function applyFlaws(message: DirectMessage): readonly DirectMessage[] {
    if (random.chance(paths.flaws.losses)) return [];
    return random.chance(paths.flaws.duplicates) ? [message, message] : [message];
  }

  function keep(key: string, message: DirectMessage): void {
    outbox.set(key, [...(outbox.get(key) ?? []), { message, at: host.now() }]);
  }

  function receive(key: string, messages: readonly DirectMessage[], respond: Respond): boolean {
    if (onMessage === undefined) return false;
    host.enter(boot, () => {
      heldResponses.set(key, respond);
      host.after(boot, RESPONSE_HELD_MS, () => heldResponses.get(key) === respond && heldResponses.delete(key));
      for (const message of messages) onMessage?.(key, message);
      if (outbox.has(key)) flush({ key, urls: [] });
    });
    return true;
  }

  return {
    open: (handle) => {
      onMessage = handle;
      paths.endpoints.set(host.id, { place: host.id, key: deps.publicKey, receive });
    },
    send: (peer, message) => {
      for (const observe of paths.observers) observe(host.id, message);
      keep(peer.key, message);
      flush(peer);
    },
    close: () => {
      onMessage = undefined;
    },
  };
}
