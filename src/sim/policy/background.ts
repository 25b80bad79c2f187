/**
 * Which messages of a mesh are background: said again and again for those who missed them, and in no hurry. A state that tells
 * another trit is none, nor is the first word of a node.
 */
import type { BusPublish } from '../../bus/bus.js';
import type { Codec } from '../../protocol/codec.js';
import { SIM_BASE } from '../settings.js';

/** Tells the background from the rest; it remembers what was said last, so each message is to be shown once, in order. */
export function watchBackground(codec: Codec): (message: BusPublish) => boolean {
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
