/**
 * Answers the request `call`: this node tries whether a member accepts connections, at addresses that the requester
 * names. It connects, checks the key and hangs up without sending anything. This reveals a firewall before it gets in
 * the way of a result.
 */
import type { NodeInput } from '../pipelines/inputs.js';
import { respond, type Answer } from '../pipelines/requests/respond.js';
import type { NodeContext } from './context.js';
import type { NodePorts } from './ports.js';

/** Calls in progress at the same time; further requests are told to try again. */
const CALLS_MAX = 8;

/** Creates the function that answers the request if an input is one. */
export function createCallAnswerer(
  context: NodeContext,
  { transfer }: Pick<NodePorts, 'transfer'>,
): (input: NodeInput) => void {
  const { settings, inbox, members } = context;
  let calls = 0;

  function call(node: string, urls: readonly string[], done: (answer: Answer) => void): void {
    const key = members.get(node)?.info?.key;
    if (key === undefined) return done({ error: `no birth message of ${node} has been received` });
    if (calls >= CALLS_MAX) return done({ error: `${calls} calls are already in progress: try again` });
    calls += 1;
    transfer.call(key, urls, (ended) => {
      calls -= 1;
      const outcome = ended.ok ? { reached: ended.value } : { reached: null, reason: ended.reason };
      done({ data: { node, ...outcome, urls: transfer.urls() } });
    });
  }

  return (input) => {
    if (input.type !== 'RequestHeard' || input.request.verb !== 'call') return;
    const { transaction, urls, node = input.signedBy } = input.request;
    const answer = (given: Answer): void =>
      respond('call', transaction, given, 'request/call', { self: settings.id, push: inbox.push });
    if (input.signedBy === undefined || node === undefined)
      return answer({ error: 'the request must be signed by a member' });
    if (urls.length === 0) return answer({ data: { urls: transfer.urls() } });
    // Another node cannot make this one call a third.
    if (node !== input.signedBy && input.signedBy !== settings.id)
      return answer({ error: `only ${settings.id} itself may name a node other than the requester` });
    call(node, urls, answer);
  };
}
