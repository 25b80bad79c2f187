/** Kept connections are used again, but not trusted: what has been idle may be dead without a sign. */
import type { Agent, ClientRequest } from 'node:http';

/**
 * How long a reused connection may take to answer, ms: a firewall may have dropped it without notifying either side.
 */
const KEPT_ANSWER_MS = 3000;

/**
 * Gives up a reused connection that does not answer soon, along with all idle ones: a new connection shows at once
 * whether the peer is there.
 */
export function doubtReused(asked: ClientRequest, agent: Agent): void {
  asked.once('socket', () => {
    if (!asked.reusedSocket) return;
    const timer = setTimeout(() => {
      for (const kept of Object.values(agent.freeSockets).flat()) kept?.destroy();
      asked.destroy(new Error(`a kept connection is silent for ${KEPT_ANSWER_MS} ms`));
    }, KEPT_ANSWER_MS);
    for (const event of ['response', 'close'] as const) asked.once(event, () => clearTimeout(timer));
  });
}
