/**
 * Watches for a twin while the node runs. A twin that pings is answered and judged; a message that only another node
 * with this key can have sent makes the node stop and check. A node that was thrown off the broker by one of the same
 * name does not fight for it.
 */
import type { Clock } from '../../clock/clock.js';
import { describeLoser, describeNamesake, judgeTwin, nameTwin, type TwinContext } from '../../core/identity/twin.js';
import type { Info } from '../../protocol/messages.js';
import type { Request, TwinAsk } from '../../protocol/requests.js';
import type { NodeInput } from '../inputs.js';
import type { Answer } from '../requests/respond.js';

/** What the watch needs. */
export interface TwinWatchDeps {
  readonly self: string;
  readonly version: string;
  readonly mine: TwinAsk;
  readonly clock: Clock;
  /** The way connections end means nothing for the first ten minutes: the node has just checked and found no twin. */
  readonly ignoresEarlyLinkEnds: boolean;
  readonly key: string;
  /** Twins that this node gave way to before and that did not take over. */
  readonly met: readonly string[];
  log(level: 'warn' | 'error', text: string): void;
  /** The node must stop, check, and start again if there is no twin. */
  leave(why: TwinLeave): void;
}

/** Why a node stops that may have met its twin. */
export type TwinLeave = { readonly why: 'suspect'; readonly reason: string } & Suspicion;

/** What is suspected. */
export interface Suspicion {
  /** The boot that is known to exist, or 0. */
  readonly boot: number;
  /** The boot that stops: it decides which of the two was started first. */
  readonly since: number;
  /** Twins that this node gave way to before. One that did not take over is not given way to again. */
  readonly met: readonly string[];
}

/** Watches for a twin. */
export interface TwinWatch {
  handle(input: NodeInput): void;
  /** Logs two members that have one key. */
  handleBirth(node: string, info: Info | undefined): void;
  /** Answers a ping, and judges one that comes from a twin. */
  answer(request: Extract<Request, { verb: 'ping' }>, signedBy: string | undefined): Answer;
  /** Names the copy that was heard of recently; `undefined` if there is none. */
  copy(): string | undefined;
}

/** A copy is no longer shown when it was not heard of for this long, ms. It checks again when it is started again. */
const SHOWN_MS = 10 * 60 * 1000;
/** A connection that the broker ends sooner than this counts as short, ms. This many in a row are a suspicion. */
const SHORT_MS = 30_000;
const SHORT_MAX = 3;

/** Creates the watch. */
export function createTwinWatch(deps: TwinWatchDeps): TwinWatch {
  const { self, clock, mine } = deps;
  const namesakes = new Set<string>();
  const startedAt = clock.now();
  const met = new Set(deps.met);
  let hasLeft = false;
  let copy: { readonly name: string; readonly heardAt: number } | undefined;
  let judged = new Set<string>();
  let onlineSince: number | undefined;
  let short = 0;

  function leave(why: TwinLeave): void {
    if (!hasLeft) deps.leave(why);
    hasLeft = true;
  }

  function suspect(reason: string, boot: number): void {
    leave({ why: 'suspect', reason, boot, since: mine.boot, met: [...met].slice(-MET_MAX) });
  }

  function answer(request: Extract<Request, { verb: 'ping' }>, signedBy: string | undefined): Answer {
    const data = { id: self, version: deps.version, twin: mine };
    const { twin } = request;
    if (twin === undefined || signedBy !== self || twin.instance === mine.instance) return { data };
    return { data: { ...data, yields: judge(twin) } };
  }

  /** Whether this node gives way to that one. */
  function judge(twin: TwinContext): boolean {
    const verdict = judgeTwin(mine, twin);
    if (verdict !== 'mine') {
      // A recorded ping can be replayed: whether there is a node to give way to, only a question of our own can tell.
      if (met.has(twin.instance)) return false;
      met.add(twin.instance);
      suspect(`a node with this key on ${nameTwin(twin)} may be the one to go on`, 0);
      return true;
    }
    copy = { name: nameTwin(twin), heardAt: clock.now() };
    if (!judged.has(twin.instance)) deps.log('error', describeLoser(twin));
    if (judged.size >= JUDGED_MAX) judged = new Set();
    judged.add(twin.instance);
    return false;
  }

  function handleLink(input: Extract<NodeInput, { type: 'LinkChanged' }>): void {
    if (input.online) {
      onlineSince = clock.now();
      return;
    }
    if (deps.ignoresEarlyLinkEnds && clock.now() - startedAt < TRUST_MS) return;
    if (input.takenOver === true) return suspect(`${input.reason}: it may be a copy of this node`, 0);
    if (onlineSince === undefined) return;
    short = clock.now() - onlineSince < SHORT_MS && input.ended === true ? short + 1 : 0;
    onlineSince = undefined;
    if (short >= SHORT_MAX)
      suspect(`the broker ended ${short} short connections in a row: there may be a copy of this node`, 0);
  }

  /** One key under two ids: a copy that was given another name. */
  function handleBirth(node: string, info: Info | undefined): void {
    if (info?.key !== deps.key || namesakes.has(node) || namesakes.size >= JUDGED_MAX) return;
    namesakes.add(node);
    deps.log('error', describeNamesake(node, info.host));
  }

  return {
    handle: (input) => {
      if (input.type === 'LinkChanged') handleLink(input);
      if (input.type === 'TwinTraced') suspect(input.reason, input.boot);
    },
    handleBirth,
    answer,
    copy: () => (copy !== undefined && clock.now() - copy.heardAt < SHOWN_MS ? copy.name : undefined),
  };
}

/** How long a check that found no twin is trusted, ms. */
const TRUST_MS = 10 * 60 * 1000;
const MET_MAX = 32;
/** Copies that have been logged once. */
const JUDGED_MAX = 100;
