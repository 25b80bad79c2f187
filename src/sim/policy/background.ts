/**
 * Which messages of a mesh are background: repetitions for nodes that missed the first one, which may arrive late. A
 * state with a new trit is not background, nor is the first message of a node.
 */
import type { BusPublish } from '../../bus/bus.js';
import type { Codec } from '../../protocol/codec.js';
import { SIM_BASE } from '../settings.js';

/** Returns a filter that is true for background messages. It is stateful: call it once per message, in order. */
export function createBackgroundFilter(codec: Codec): (message: BusPublish) => boolean {
  const last = new Map<string, unknown>();

  function isSaidAgain(topic: string, word: unknown): boolean {
    const again = last.get(topic) === word;
    last.set(topic, word);
    return again;
  }

  return ({ topic, payload }) => {
    const kind = codec.parseTopic(SIM_BASE, topic)?.kind;
    if (kind === 'availability') return isSaidAgain(topic, payload);
    if (kind === 'info') return isSaidAgain(topic, (JSON.parse(payload) as { boot: number }).boot);
    return kind === 'state' && isSaidAgain(topic, (JSON.parse(payload) as { trit: number }).trit);
  };
}
