/**
 * What comes back to a node of its own: its birth and its states, as the broker keeps them and as it says them. One that it cannot
 * have said tells of another node with its key, or of a journal that is older than what this node has said before.
 */
import type { BusMessage } from '../bus/bus.js';
import type { Identity } from '../identity/identity.js';
import type { Codec } from '../protocol/codec.js';
import type { Topic } from '../protocol/topics.js';
import type { NodeInput } from './inputs.js';
import { openMessage } from './proof.js';

/** What this node knows of what it said. */
export interface Said {
  /** This run, the last one that its journal knew at the start, and the last one that was known by looking at the broker. */
  readonly boot: number;
  readonly lastBoot: number;
  readonly knownBoot: number;
  /** The last message of this run. */
  seq(): number;
}

/** What reading an echo goes by. */
export interface EchoParts {
  readonly base: string;
  readonly identity: Identity;
  readonly codec: Codec;
  readonly said: Said;
}

/** Reads an echo; `undefined` for one that is an echo indeed, or that is not signed with this node's key. */
export function readEcho(
  topic: Topic & { readonly kind: 'info' | 'state' },
  message: BusMessage,
  parts: EchoParts,
): NodeInput | undefined {
  const opened = openMessage(topic, message, parts.identity.publicKey, parts);
  if (!opened.ok) return undefined;
  const { boot, seq } = opened.value;
  const { said } = parts;
  if (boot > said.boot) return trace(boot, 'a later run of this node has said something that this one never did');
  if (boot === said.boot && seq > said.seq()) {
    return trace(
      boot,
      'this run of the node has said more than it knows of: its machine was set back, or there are two of it',
    );
  }
  // What was looked into before the start is no news as long as it is only kept; said just now it is somebody's.
  if (boot < said.boot && boot > (message.retained ? Math.max(said.lastBoot, said.knownBoot) : said.lastBoot)) {
    return trace(
      boot,
      'a run of this node that its journal does not know has said something: the journal is an older one',
    );
  }
  return undefined;
}

function trace(boot: number, reason: string): NodeInput {
  return { type: 'TwinTraced', boot, reason };
}
