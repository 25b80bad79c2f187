/**
 * Whether members and this machine's node can call each other: what `tritmesh doctor` asks so that a firewall is seen before it is in the way of
 * a result. Each member is asked to call this node, and this node to call each member.
 */
import type { Config } from '../config/config.js';
import { loadSigner } from '../compose-client.js';
import type { MeshSnapshot } from '../observe/mesh-picture.js';
import type { Response } from '../protocol/messages.js';
import { describePeerUrl } from '../protocol/peer-address.js';
import { createAsker } from './ask.js';
import { good, missing, type Finding } from './finding.js';
import { openBrokerClient } from './look.js';
import { isTooOld } from './standing.js';

/** Members that are asked: enough to tell a firewall from a member that is broken. */
const MEMBERS_MAX = 8;
/** A call takes 4 s where nobody answers, more with many addresses. */
const ANSWER_MS = 9000;

/** What one side found of the other: an address that answered, or why none did; `undefined` where it could not be asked. */
type Way = { readonly reached: string } | { readonly fault: string } | undefined;

/** One finding for each member; none where there is nobody else, or nobody to ask. */
export async function checkCalls(config: Config, { members }: MeshSnapshot): Promise<readonly Finding[]> {
  const self = members.find((one) => one.id === config.id);
  if (self?.online !== true) return [];
  const others = members.filter((one) => one.online && one.id !== config.id).slice(0, MEMBERS_MAX);
  if (others.length === 0) return [];
  const own = await ask(config, config.id, {}).catch(() => undefined);
  const urls = own === undefined ? [] : readUrls(own);
  if (urls.length === 0) return [];
  return Promise.all(others.map(({ id }) => checkPair(config, id, urls)));
}

async function checkPair(config: Config, member: string, urls: readonly string[]): Promise<Finding> {
  const what = `way to ${member}`;
  let back: Response;
  try {
    back = await ask(config, member, { urls });
  } catch (error) {
    if (isTooOld(error)) return good(what, `${member} has a version that cannot be asked to call`);
    return good(what, `${member} was not asked: ${error instanceof Error ? error.message : String(error)}`);
  }
  const theirs = readUrls(back);
  const there =
    theirs.length === 0
      ? undefined
      : await ask(config, config.id, { node: member, urls: theirs }).catch(() => undefined);
  return judgePair(what, config.id, member, readWay(back), there === undefined ? undefined : readWay(there));
}

/** What the two ways mean for whoever runs jobs. */
export function judgePair(what: string, self: string, member: string, back: Way, there: Way): Finding {
  const canCall = there === undefined || 'reached' in there;
  if (back === undefined || 'reached' in back) {
    const where = back === undefined ? '' : ` at ${describePeerUrl(back.reached)}`;
    if (canCall) return good(what, `${member} reaches ${self}${where}, and the other way`);
    return missing(
      what,
      `${self} does not reach ${member} (${there.fault}); ${member} brings what it has${where}`,
      describeRemedy(member),
    );
  }
  if (canCall)
    return missing(
      what,
      `${member} does not reach ${self} (${back.fault}); ${self} brings what it has`,
      describeRemedy(self),
    );
  return missing(
    what,
    `neither reaches the other: ${member} is not reached (${there.fault}), nor ${self} (${back.fault}); outputs over 32 KiB cannot come home, and an outage of the broker beyond the lease ends jobs`,
    describeRemedy(`${self} or ${member}`),
  );
}

const describeRemedy = (node: string): string =>
  `open the transfer port of ${node} in its firewall (fix it with transfer.port), or set its transfer.advertise to where it can be called`;

async function ask(config: Config, node: string, body: object): Promise<Response> {
  const signer = await loadSigner(config.state_dir, config.id);
  const client = openBrokerClient(config);
  const asker = createAsker({ ...client, node, verbs: ['call'], signer, answerMs: ANSWER_MS });
  try {
    await client.connect();
    return await asker.ask('call', body);
  } finally {
    await client.close();
  }
}

function readUrls({ data }: Response): readonly string[] {
  const { urls } = data;
  return Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [];
}

function readWay({ data }: Response): Way {
  const { reached, reason } = data;
  if (typeof reached === 'string') return { reached };
  return typeof reason === 'string' ? { fault: reason } : undefined;
}
