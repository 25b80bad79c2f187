/**
 * The watch for a twin while the node runs: one that asks is answered and judged, and what only another node with this key can
 * have said makes the node stop and look. A node that was thrown off the broker by one of its own name does not fight for it.
 */
import type { Clock } from '../clock/clock.js';
import { describeLoser, describeNamesake, judgeTwin, nameTwin, type TwinFacts } from '../core/twin.js';
import type { Info } from '../protocol/messages.js';
import type { Request, TwinAsk } from '../protocol/requests.js';
import type { NodeInput } from './inputs.js';
import type { Answer } from './respond.js';

/** What the node is to those who look for their twin. */
export interface TwinWatchParts {
  readonly self: string;
  readonly version: string;
  readonly mine: TwinAsk;
  readonly clock: Clock;
  /** How its connections end says nothing: it has just looked, and found nobody. */
  readonly trustsLink: boolean;
  readonly key: string;
  /** Those that it gave way to before, and that did not come. */
  readonly met: readonly string[];
  say(level: 'warn' | 'error', text: string): void;
  /** The node must stop, look, and start again if there is nobody. */
  leave(why: TwinLeave): void;
}

/** Why a node stops that may have met its twin. */
export type TwinLeave = { readonly why: 'suspect'; readonly reason: string } & Suspicion;

/** What is suspected. */
export interface Suspicion {
  /** The run that is known to be, or 0. */
  readonly boot: number;
  /** The run that is stopped: who was started first is judged by it. */
  readonly since: number;
  /** Those that were given way to before: one that did not come is not given way to again. */
  readonly met: readonly string[];
}

/** The watch. */
export interface TwinWatch {
  take(input: NodeInput): void;
  /** A member was born: two of one key are told of. */
  meet(node: string, info: Info | undefined): void;
  /** Answers a ping; one of a twin is judged. */
  answer(request: Extract<Request, { verb: 'ping' }>, signedBy: string | undefined): Answer;
  /** Names the copy that was heard of lately; `undefined` while there is none. */
  copy(): string | undefined;
}

/** A copy that was not heard of for so long is not shown any more, ms: it looks again when it is started again. */
const SHOWN_MS = 10 * 60 * 1000;
/** A connection that the broker ends sooner than this counts as short, ms; so many in a row are a suspicion. */
const SHORT_MS = 30_000;
const SHORT_MAX = 3;

/** Makes the watch. */
export function createTwinWatch(parts: TwinWatchParts): TwinWatch {
  const { self, clock, mine } = parts;
  const namesakes = new Set<string>();
  const startedAt = clock.now();
  const met = new Set(parts.met);
  let hasLeft = false;
  let copy: { readonly name: string; readonly heardAt: number } | undefined;
  let judged = new Set<string>();
  let onlineSince: number | undefined;
  let short = 0;

  function leave(why: TwinLeave): void {
    if (!hasLeft) parts.leave(why);
    hasLeft = true;
  }

  function suspect(reason: string, boot: number): void {
    leave({ why: 'suspect', reason, boot, since: mine.boot, met: [...met].slice(-MET_MAX) });
  }

  function answer(request: Extract<Request, { verb: 'ping' }>, signedBy: string | undefined): Answer {
    const data = { id: self, version: parts.version, twin: mine };
    const { twin } = request;
    if (twin === undefined || signedBy !== self || twin.instance === mine.instance) return { data };
    return { data: { ...data, yields: judge(twin) } };
  }

  /** Whether this node stops for that one. */
  function judge(twin: TwinFacts): boolean {
    const verdict = judgeTwin(mine, twin);
    if (verdict !== 'mine') {
      // A ping that somebody kept can be said again: whether there is one to give way to, a question of our own tells.
      if (met.has(twin.instance)) return false;
      met.add(twin.instance);
      suspect(`a node of this key on ${nameTwin(twin)} may be the one to go on`, 0);
      return true;
    }
    copy = { name: nameTwin(twin), heardAt: clock.now() };
    if (!judged.has(twin.instance)) parts.say('error', describeLoser(twin));
    if (judged.size >= JUDGED_MAX) judged = new Set();
    judged.add(twin.instance);
    return false;
  }

  function takeLink(input: Extract<NodeInput, { type: 'LinkChanged' }>): void {
    if (input.online) {
      onlineSince = clock.now();
      return;
    }
    if (parts.trustsLink && clock.now() - startedAt < TRUST_MS) return;
    if (input.takenOver === true) return suspect(`${input.reason}: it may be a copy of this node`, 0);
    if (onlineSince === undefined) return;
    short = clock.now() - onlineSince < SHORT_MS && input.ended === true ? short + 1 : 0;
    onlineSince = undefined;
    if (short >= SHORT_MAX)
      suspect(`the broker ended ${short} short connections in a row: there may be a copy of this node`, 0);
  }

  /** One key under two ids: a copy that was given another name. */
  function meet(node: string, info: Info | undefined): void {
    if (info?.key !== parts.key || namesakes.has(node) || namesakes.size >= JUDGED_MAX) return;
    namesakes.add(node);
    parts.say('error', describeNamesake(node, info.host));
  }

  return {
    take: (input) => {
      if (input.type === 'LinkChanged') takeLink(input);
      if (input.type === 'TwinTraced') suspect(input.reason, input.boot);
    },
    meet,
    answer,
    copy: () => (copy !== undefined && clock.now() - copy.heardAt < SHOWN_MS ? copy.name : undefined),
  };
}

/** How long a look that found nobody is trusted, ms. */
const TRUST_MS = 10 * 60 * 1000;
const MET_MAX = 32;
/** Copies that were told of once. */
const JUDGED_MAX = 100;
