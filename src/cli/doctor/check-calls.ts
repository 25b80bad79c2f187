/**
 * The checks of `tritmesh doctor` on direct connections: each member is asked to call this machine's node, and the node
 * to call each member. They find a firewall before it stands between a job and its outputs.
 */
import type { Config } from '../../config/config.js';
import { loadSigner } from '../../compose/client.js';
import type { MeshSnapshot } from '../../observe/mesh-model.js';
import { describeError } from '../../os/errors.js';
import type { Response } from '../../protocol/messages.js';
import { describePeerUrl } from '../../protocol/peer-address.js';
import { createRequestClient } from '../request/request-client.js';
import { good, missing, type Finding } from './finding.js';
import { openBrokerClient } from '../snapshot.js';
import { isTooOld } from '../job/item-standing.js';

/** Most members that are asked: enough to tell a firewall here from a fault of one member. */
const MEMBERS_MAX = 8;
/** How long a node may take to answer, ms: a call takes 4 s if nobody answers, more with several addresses. */
const ANSWER_MS = 9000;

/** The outcome of a call: the address that answered, or why none did; `undefined` if the caller could not be asked. */
type CallOutcome = { readonly reached: string } | { readonly fault: string } | undefined;

/** One finding per member; none if this node is offline, alone, or cannot be asked. */
export async function checkCalls(config: Config, { members }: MeshSnapshot): Promise<readonly Finding[]> {
  const self = members.find((one) => one.id === config.id);
  if (self?.online !== true) return [];
  const others = members.filter((one) => one.online && one.id !== config.id).slice(0, MEMBERS_MAX);
  if (others.length === 0) return [];
  const own = await requestCall(config, config.id, {}).catch(() => undefined);
  const urls = own === undefined ? [] : readUrls(own);
  if (urls.length === 0) return [];
  return Promise.all(others.map(({ id }) => checkPair(config, id, urls)));
}

async function checkPair(config: Config, member: string, urls: readonly string[]): Promise<Finding> {
  const what = `connection to ${member}`;
  let back: Response;
  try {
    back = await requestCall(config, member, { urls });
  } catch (error) {
    if (isTooOld(error)) return good(what, `not tested: the version of tritmesh on ${member} cannot do it`);
    return good(what, `not tested: ${describeError(error)}`);
  }
  const theirs = readUrls(back);
  const there =
    theirs.length === 0
      ? undefined
      : await requestCall(config, config.id, { node: member, urls: theirs }).catch(() => undefined);
  return judgePair(
    what,
    config.id,
    member,
    readCallOutcome(back),
    there === undefined ? undefined : readCallOutcome(there),
  );
}

/** What the two calls mean for jobs between the two nodes. `back` is the member's call, `there` that of this node. */
export function judgePair(what: string, self: string, member: string, back: CallOutcome, there: CallOutcome): Finding {
  const canCall = there === undefined || 'reached' in there;
  if (back === undefined || 'reached' in back) {
    const where = back === undefined ? '' : ` at ${describePeerUrl(back.reached)}`;
    if (canCall) return good(what, `${member} reaches ${self}${where}, and ${self} reaches ${member}`);
    return missing(
      what,
      `${self} does not reach ${member} (${there.fault}); ${member} connects to ${self}${where} instead`,
      describeRemedy(member),
    );
  }
  if (canCall)
    return missing(
      what,
      `${member} does not reach ${self} (${back.fault}); ${self} connects to ${member} instead`,
      describeRemedy(self),
    );
  return missing(
    what,
    `neither reaches the other: ${self} does not reach ${member} (${there.fault}), nor ${member} ${self} (${back.fault}); outputs over 32 KiB cannot come home, and a broker outage longer than the lease ends jobs`,
    describeRemedy(`${self} or ${member}`),
  );
}

const describeRemedy = (node: string): string =>
  `open the transfer port of ${node} in its firewall (transfer.port sets a fixed one), or set its transfer.advertise to an address where it can be reached`;

async function requestCall(config: Config, node: string, body: object): Promise<Response> {
  const signer = await loadSigner(config.state_dir, config.id);
  const client = openBrokerClient(config);
  const requests = createRequestClient({ ...client, node, verbs: ['call'], signer, answerMs: ANSWER_MS });
  try {
    await client.connect();
    return await requests.send('call', body);
  } finally {
    await client.close();
  }
}

function readUrls({ data }: Response): readonly string[] {
  const { urls } = data;
  return Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [];
}

function readCallOutcome({ data }: Response): CallOutcome {
  const { reached, reason } = data;
  if (typeof reached === 'string') return { reached };
  return typeof reason === 'string' ? { fault: reason } : undefined;
}
