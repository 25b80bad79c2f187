/**
 * Reads what comes back to a node under its own name: its birth and its states, retained or live. One that this boot
 * cannot have published reveals another node with the same key, or a journal that is older than what this node has
 * published.
 */
import type { BusMessage } from '../../bus/bus.js';
import type { Identity } from '../../identity/identity.js';
import type { Codec } from '../../protocol/codec.js';
import type { Topic } from '../../protocol/topics.js';
import type { NodeInput } from '../inputs.js';
import { openSignedMessage } from '../mesh/verify-signature.js';

/** What this node knows of its own publishing. */
export interface OwnPublishing {
  /** This boot, the last boot that the journal knew at the start, and the last one that was found on the broker. */
  readonly boot: number;
  readonly lastBoot: number;
  readonly knownBoot: number;
  /** Sequence number of the last message of this boot. */
  seq(): number;
}

/** What reading an echo needs. */
export interface OwnEchoDeps {
  readonly base: string;
  readonly identity: Identity;
  readonly codec: Codec;
  readonly ownPublishing: OwnPublishing;
}

/** Reads an echo. Returns `undefined` for a real echo, and for a message that is not signed with this node's key. */
export function readEcho(
  topic: Topic & { readonly kind: 'info' | 'state' },
  message: BusMessage,
  deps: OwnEchoDeps,
): NodeInput | undefined {
  const opened = openSignedMessage(topic, message, deps.identity.publicKey, deps);
  if (!opened.ok) return undefined;
  const { boot, seq } = opened.value;
  const { ownPublishing } = deps;
  if (boot > ownPublishing.boot)
    return trace(boot, 'a later boot of this node has published something that this one has not');
  if (boot === ownPublishing.boot && seq > ownPublishing.seq()) {
    return trace(
      boot,
      'this boot of the node has published more than it knows of: its machine was rolled back, or there are two of it',
    );
  }
  // A boot that was checked before the start is not news while it is only retained; a live message is another node's.
  if (
    boot < ownPublishing.boot &&
    boot > (message.retained ? Math.max(ownPublishing.lastBoot, ownPublishing.knownBoot) : ownPublishing.lastBoot)
  ) {
    return trace(
      boot,
      'a boot of this node that its journal does not know has published something: the journal is an older one',
    );
  }
  return undefined;
}

function trace(boot: number, reason: string): NodeInput {
  return { type: 'TwinTraced', boot, reason };
}
