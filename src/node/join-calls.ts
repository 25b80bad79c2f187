/**
 * Answers the request `call`: this node tries whether a member takes connections, at addresses that the asker names. It connects, looks at the
 * key, and hangs up; nothing is said. So a firewall is seen before it is in the way of a result.
 */
import type { NodeInput } from '../pipelines/inputs.js';
import { respond, type Answer } from '../pipelines/respond.js';
import type { Workbench } from './context.js';
import type { NodePorts } from './ports.js';

/** Calls at once; whoever asks for more is told to come back. */
const CALLS_MAX = 8;

/** Takes the request, when an input is one. */
export function createCaller(bench: Workbench, { transfer }: Pick<NodePorts, 'transfer'>): (input: NodeInput) => void {
  const { settings, inbox, view } = bench;
  let calls = 0;

  function call(node: string, urls: readonly string[], done: (answer: Answer) => void): void {
    const key = view.get(node)?.info?.key;
    if (key === undefined) return done({ error: `the birth of ${node} was not heard` });
    if (calls >= CALLS_MAX) return done({ error: `${calls} members are being called already: ask again` });
    calls += 1;
    transfer.call(key, urls, (ended) => {
      calls -= 1;
      const found = ended.ok ? { reached: ended.value } : { reached: null, reason: ended.reason };
      done({ data: { node, ...found, urls: transfer.urls() } });
    });
  }

  return (input) => {
    if (input.type !== 'RequestHeard' || input.request.verb !== 'call') return;
    const { transaction, urls, node = input.signedBy } = input.request;
    const answer = (given: Answer): void =>
      respond('call', transaction, given, 'request/call', { self: settings.id, push: inbox.push });
    if (input.signedBy === undefined || node === undefined) return answer({ error: 'it must be signed by a member' });
    if (urls.length === 0) return answer({ data: { urls: transfer.urls() } });
    // Nobody makes this node call a third one.
    if (node !== input.signedBy && input.signedBy !== settings.id)
      return answer({ error: `only ${settings.id} itself may name another node than the asker` });
    call(node, urls, answer);
  };
}
