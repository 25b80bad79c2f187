/**
 * What `tritmesh doctor` looks at of this machine's node: whether it runs, whether what it publishes is seen, whether it
 * answers. It publishes one event and asks one question.
 */
import { filter, firstValueFrom, map, takeUntil, timer } from 'rxjs';
import type { Config } from '../config/config.js';
import { loadSigner } from '../compose-client.js';
import { findRunningNode } from '../compose-journal.js';
import { formatTopic } from '../protocol/topics.js';
import { AskFailed, createAsker } from './ask.js';
import { findCopy } from './doctor-identity.js';
import { broken, describeError, good, missing, type Finding } from './finding.js';
import { openBrokerClient, openClient, type Look } from './look.js';
import { probePublish } from './probe-publish.js';

/** How long a connection and what the broker has kept may take, ms. */
const SEEN_MS = 3000;
/** How long the node may take to answer, ms. */
const ANSWER_MS = 5000;

/** Whether the broker takes what this machine's user publishes as its node. */
export async function checkPublishing(config: Config): Promise<Finding> {
  const what = 'publishing';
  const who = config.username === undefined ? 'without a user name' : `as user ${config.username}`;
  try {
    const probe = await probePublish(config);
    if (probe.seen) return good(what, `${who}, and it is seen`);
    return broken(
      what,
      `${probe.topic}: ${probe.reason}`,
      `give this node the user of its own name (--username ${config.id}), or let its user write what "What an ACL must allow" in docs/PROTOCOL.md lists`,
    );
  } catch (error) {
    return broken(what, describeError(error), 'see broker');
  }
}

/** Whether the node is up, seen by others (where there is a broker), itself, and answers. */
export async function checkNode(
  config: Config,
  { members, absence }: Pick<Look, 'members' | 'absence'>,
): Promise<Finding> {
  const what = `node ${config.id}`;
  const member = members.find((one) => one.id === config.id);
  if (member?.online !== true || (absence === undefined && !(await isSeen(config)))) {
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
  const silence = await findSilence(config);
  if (silence !== undefined) {
    return broken(what, `online, but ${silence}`, 'look at its log; if it hangs, start it again: its jobs go on');
  }
  if (absence?.nodeBroker !== undefined) {
    const hint = `name it with --broker ${absence.nodeBroker}, or once and for all with "tritmesh join ${absence.nodeBroker}"`;
    return missing(what, `online, answers, at another broker: ${absence.nodeBroker}`, hint);
  }
  const rejected = member.state?.rejected ?? 0;
  return good(
    what,
    rejected === 0
      ? 'online, answers'
      : `online, answers; this run refused ${rejected} messages that it could not trust or read`,
  );
}

/** Whether the broker has it from the node that it is online: the look itself may have it over the local socket. */
async function isSeen(config: Config): Promise<boolean> {
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
    `runs here (process ${pid}), and nobody sees it at ${config.broker} below ${config.base}`,
    'its log says why: the broker refuses its user (see publishing), or it was started with another --broker, --base or --id than this command',
  );
}

async function findSilence(config: Config): Promise<string | undefined> {
  const client = openClient(config);
  const asker = createAsker({ ...client, node: config.id, verbs: ['ping'], signer: undefined, answerMs: ANSWER_MS });
  try {
    await client.connect();
    await asker.ask('ping');
    return undefined;
  } catch (error) {
    // It answers, if only that it wants a signature.
    if (error instanceof AskFailed && error.fault === 'refused') return undefined;
    return describeError(error);
  } finally {
    await client.close();
  }
}
