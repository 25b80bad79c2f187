/**
 * The checks of `tritmesh doctor` on this machine's node: whether it runs, whether its messages reach the bus, whether
 * it answers. They publish one event and send one request.
 */
import { filter, firstValueFrom, map, takeUntil, timer } from 'rxjs';
import type { Config } from '../../config/config.js';
import { loadSigner } from '../../compose/client.js';
import { findRunningNode } from '../../compose/journal.js';
import { describeError } from '../../os/errors.js';
import { formatTopic } from '../../protocol/topics.js';
import { RequestFailed, createRequestClient } from '../request/request-client.js';
import { findCopy } from './check-identity.js';
import { broken, good, missing, type Finding } from './finding.js';
import { openBrokerClient, openClient, type Snapshot } from '../snapshot.js';
import { probePublish } from './probe-publish.js';

/** How long connecting and receiving a retained message may take, ms. */
const SEEN_MS = 3000;
/** How long the node may take to answer, ms. */
const ANSWER_MS = 5000;

/** Whether the broker lets this machine's user publish as its node. */
export async function checkPublishing(config: Config): Promise<Finding> {
  const what = 'publishing';
  const who = config.username === undefined ? 'without a user name' : `as user ${config.username}`;
  try {
    const probe = await probePublish(config);
    if (probe.seen) return good(what, `works ${who}`);
    return broken(
      what,
      `${probe.topic}: ${probe.reason}`,
      `log in as the user ${config.id} (--username ${config.id}), or allow this user what "What an ACL must allow" in docs/reference/protocol.md lists`,
    );
  } catch (error) {
    return broken(what, describeError(error), 'see broker');
  }
}

/** Whether the node is online, visible at the broker (if there is one), no other node under its id, and answering. */
export async function checkNode(
  config: Config,
  { members, absence }: Pick<Snapshot, 'members' | 'absence'>,
): Promise<Finding> {
  const what = `node ${config.id}`;
  const member = members.find((one) => one.id === config.id);
  if (member?.online !== true || (absence === undefined && !(await isVisible(config)))) {
    return explainAbsence(what, config);
  }
  const signer = await loadSigner(config.state_dir, config.id).catch(() => undefined);
  if (signer !== undefined && signer.identity.publicKey !== member.info?.key) {
    return broken(
      what,
      `online with another key than the one in ${config.state_dir}`,
      'name its state directory with --state-dir, or give this node another --id',
    );
  }
  const copy = findCopy(what, member, members);
  if (copy !== undefined) return copy;
  const pingFault = await findPingFault(config);
  if (pingFault !== undefined) {
    return broken(what, `online, but ${pingFault}`, 'check its log; if it hangs, restart it: its jobs keep running');
  }
  if (absence?.nodeBroker !== undefined) {
    const hint = `name it with --broker ${absence.nodeBroker}, or permanently with "tritmesh join ${absence.nodeBroker}"`;
    return missing(what, `online and answering, but at another broker: ${absence.nodeBroker}`, hint);
  }
  const rejected = member.state?.rejected ?? 0;
  return good(
    what,
    rejected === 0
      ? 'online and answering'
      : `online and answering; since its start it rejected ${rejected} messages that it could not verify or read`,
  );
}

/** Whether the broker holds the node's `online`. The snapshot does not tell: it may come from the local socket. */
async function isVisible(config: Config): Promise<boolean> {
  const topic = formatTopic(config.base, { kind: 'availability', node: config.id });
  const client = openBrokerClient(config);
  const { bus } = client;
  bus.subscribe([topic]);
  const word$ = bus.messages$.pipe(
    filter((message) => message.topic === topic && Buffer.from(message.payload).toString() === 'online'),
    map(() => true),
    takeUntil(timer(SEEN_MS)),
  );
  const seen = firstValueFrom(word$, { defaultValue: false });
  try {
    await client.connect();
    return await seen;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

async function explainAbsence(what: string, config: Config): Promise<Finding> {
  const pid = await findRunningNode(config);
  if (pid === undefined) return missing(what, 'not online', 'start it with "tritmesh node"');
  return broken(
    what,
    `runs here (process ${pid}), but is not visible at ${config.broker} below ${config.base}`,
    'see its log: the broker refuses its user (see publishing), or it was started with another --broker, --base or --id than this command',
  );
}

async function findPingFault(config: Config): Promise<string | undefined> {
  const client = openClient(config);
  const requests = createRequestClient({
    ...client,
    node: config.id,
    verbs: ['ping'],
    signer: undefined,
    answerMs: ANSWER_MS,
  });
  try {
    await client.connect();
    await requests.send('ping');
    return undefined;
  } catch (error) {
    // A refusal is an answer too: the node may only want a signature.
    if (error instanceof RequestFailed && error.fault === 'refused') return undefined;
    return describeError(error);
  } finally {
    await client.close();
  }
}
