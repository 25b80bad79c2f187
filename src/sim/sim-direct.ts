/**
 * The Direct port between simulated machines: a connection takes its time and needs packets to pass both ways; a node whose door is shut
 * can call and not be called; what waits for a peer rides in the answer to what that peer brings. Messages are lost, late and doubled
 * as connections that break in the middle make them.
 */
import type { Direct, DirectMessage, Peer, Verdict } from '../transfer/direct.js';
import type { Host } from './host.js';
import type { Network } from './network.js';
import type { Random } from './random.js';

/** How bad the direct paths are, from 0 (perfect). */
export interface LineFlaws {
  readonly losses: number;
  readonly duplicates: number;
  readonly lateMs: number;
  /** How much later answers come than requests, ms. */
  readonly answersMs?: number | undefined;
  /** A node whose words are all lost, while it hears. */
  readonly mute?: string | undefined;
}

/** A node that listens. */
interface Station {
  readonly place: string;
  readonly key: string;
  /** Takes what a peer brings; `respond` is how it is answered, now or a while later. False while it takes nothing yet. */
  receive(key: string, messages: readonly DirectMessage[], respond: Respond): boolean;
}

type Respond = (messages: readonly DirectMessage[]) => void;

/** All direct paths of a world. */
export interface Lines {
  readonly stations: Map<string, Station>;
  /** Nodes that cannot be called. */
  readonly shut: Set<string>;
  flaws: LineFlaws;
  /** Told of every message that is sent. */
  readonly lookers: ((from: string, message: DirectMessage) => void)[];
}

/** Perfect lines. */
export const GOOD_LINES: LineFlaws = { losses: 0, duplicates: 0, lateMs: 0 };

/** Makes the lines of a world. */
export function createLines(): Lines {
  return { stations: new Map(), shut: new Set(), flaws: GOOD_LINES, lookers: [] };
}

/** What a direct path is made of. */
export interface SimDirectParts {
  readonly host: Host;
  readonly life: number;
  readonly network: Network;
  readonly lines: Lines;
  readonly random: Random;
  readonly publicKey: string;
}

/** How long an answer is waited for, and how long a message is kept for a peer that does not come, ms. */
const HOLD_MS = 2000;
const KEPT_MS = 60_000;

/** Makes the direct path of one life of a node. */
export function createSimDirect(parts: SimDirectParts): Direct {
  const { host, life, network, lines, random } = parts;
  const mail = new Map<string, { readonly message: DirectMessage; readonly at: number }[]>();
  const held = new Map<string, Respond>();
  let take: ((peerKey: string, message: DirectMessage) => Verdict) | undefined;

  const delayMs = (): number => 0.5 + random.next() * 4 + random.next() * lines.flaws.lateMs;

  function takeMail(key: string): readonly DirectMessage[] {
    const waiting = mail.get(key) ?? [];
    mail.delete(key);
    return waiting.filter(({ at }) => host.now() - at < KEPT_MS).map(({ message }) => message);
  }

  function pump({ key, urls }: Peer): void {
    const respond = held.get(key);
    held.delete(key);
    if (respond !== undefined) return respond(takeMail(key));
    const place = urls.map((url) => new URL(url).hostname).find((name) => lines.stations.has(name));
    if (place !== undefined) host.after(life, delayMs() + delayMs(), () => call(place, key));
  }

  function call(place: string, key: string): void {
    const station = lines.stations.get(place);
    if (station === undefined || station.key !== key || lines.shut.has(place) || !connects(place)) return;
    const messages = takeMail(key);
    if (messages.length === 0) return;
    const brought = lines.flaws.mute === host.id ? [] : messages.flatMap((message) => spoil(message));
    const isTaken = station.receive(parts.publicKey, brought, (answers) => {
      // What has left arrives, also where the next packet would not.
      if (!connects(place) || lines.flaws.mute === place) return;
      const heldBackMs = (lines.flaws.answersMs ?? 0) * (0.8 + 0.2 * random.next());
      host.after(life, delayMs() + heldBackMs, () => {
        for (const answer of answers.flatMap((message) => spoil(message))) take?.(key, answer);
      });
    });
    if (!isTaken) for (const message of messages) keep(key, message);
  }

  function connects(place: string): boolean {
    return network.connects(host.id, place);
  }

  function spoil(message: DirectMessage): readonly DirectMessage[] {
    if (random.chance(lines.flaws.losses)) return [];
    return random.chance(lines.flaws.duplicates) ? [message, message] : [message];
  }

  function keep(key: string, message: DirectMessage): void {
    mail.set(key, [...(mail.get(key) ?? []), { message, at: host.now() }]);
  }

  function receive(key: string, messages: readonly DirectMessage[], respond: Respond): boolean {
    if (take === undefined) return false;
    host.enter(life, () => {
      held.set(key, respond);
      host.after(life, HOLD_MS, () => held.get(key) === respond && held.delete(key));
      for (const message of messages) take?.(key, message);
      if (mail.has(key)) pump({ key, urls: [] });
    });
    return true;
  }

  return {
    open: (taking) => {
      take = taking;
      lines.stations.set(host.id, { place: host.id, key: parts.publicKey, receive });
    },
    send: (peer, message) => {
      for (const look of lines.lookers) look(host.id, message);
      keep(peer.key, message);
      pump(peer);
    },
    close: () => {
      take = undefined;
    },
  };
}
