/**
 * `tritmesh rename NEW`: changes the id of this machine's node. A running node is asked to finish all work that other
 * nodes know by its old id, and this command waits for it; a stopped node is renamed in its state directory. Ctrl-C
 * takes it back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { filter, firstValueFrom, fromEvent, map, merge, take } from 'rxjs';
import { nameConfig } from '../../compose/identity.js';
import { createProbeBus } from '../../compose/twin.js';
import { loadSigner, type Client, type Signer } from '../../compose/client.js';
import { checkUser, renameState, runsAs, type Renamed } from '../../compose/rename.js';
import { decodeBusEvent } from '../../observe/bus-event.js';
import { formatTopic, NODE_ID_PATTERN } from '../../protocol/topics.js';
import { requestUntilReady, type RenameRequest } from '../request/request-rename.js';
import { createRequestClient, type RequestClient } from '../request/request-client.js';
import { printJson, type Context } from '../context.js';
import { BadInput, CommandFailed, EXIT } from '../failure.js';
import { openClient } from '../snapshot.js';

/** How often the record in the state directory is read, ms. */
const RECORD_POLL_MS = 500;
/** How long the node may take to come back under its new id, ms. */
const BACK_MS = 90_000;

/** Renames; resolves with exit code 130 when the user gave up. */
export async function renameNode(context: Context, to: string): Promise<number> {
  if (!NODE_ID_PATTERN.test(to)) throw new BadInput('NEW', to, 'must be 1 to 32 lower-case letters, digits and dashes');
  const { config, record } = context;
  if (record !== undefined && record.id !== config.id) {
    throw new BadInput('--id', config.id, `must be ${record.id}, the node of this state directory, or left out`);
  }
  if (to === config.id) throw new BadInput('NEW', to, 'is already the id of this node');
  const renamed = await renameState(context, to).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'JournalHeld') return undefined;
    throw error;
  });
  if (renamed !== undefined) return reportRenamed(context, renamed, false);
  return renameRunning(context, to);
}

async function renameRunning(context: Context, to: string): Promise<number> {
  const { config } = context;
  const after = nameConfig(context, to, config.base);
  if (after.username !== config.username) await checkUser(createProbeBus(after), to);
  const signer = await loadSigner(config.state_dir, config.id);
  if (signer === undefined)
    throw new CommandFailed(
      `${config.state_dir} holds no node key, and a running node renames itself only when asked with its key`,
    );
  const client = openClient(config);
  const requests = createRequestClient({ ...client, node: config.id, verbs: ['rename'], signer });
  const back = Promise.race([watchBirth(client, signer, to), watchRecord(config.state_dir, to)]);
  // It is awaited further down; until then a rejection must not count as unhandled.
  back.catch(() => undefined);
  const rename: RenameRequest = {
    requests,
    from: config.id,
    to,
    clock: client.clock,
    report: context.report,
    isOver: false,
  };
  const interrupted = firstValueFrom(
    merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(
      take(1),
      map(() => 'interrupted' as const),
    ),
  );
  try {
    await client.connect();
    const end = await Promise.race([back.then(() => 'back' as const), requestUntilReady(rename), interrupted]);
    rename.isOver = true;
    if (end === 'interrupted') return await takeBack(context, requests, to);
    if ((await Promise.race([back, timeOut(to), interrupted])) === 'interrupted')
      return await takeBack(context, requests, to);
    return reportRenamed(context, { from: config.id, to, cleared: 0 }, true);
  } finally {
    await client.close();
  }
}

/** Resolves once a node runs here again under the new id. Works without the broker, or with another one. */
async function watchRecord(stateDir: string, to: string): Promise<void> {
  while (!(await runsAs(stateDir, to))) await sleep(RECORD_POLL_MS, undefined, { ref: false });
}

/** Resolves at the birth message of the node under its new id, which carries the key of this state directory. */
function watchBirth({ bus, base }: Client, { identity }: Signer, to: string): Promise<void> {
  const topic = formatTopic(base, { kind: 'info', node: to });
  const born = firstValueFrom(
    bus.messages$.pipe(
      filter((message) => message.topic === topic && !message.retained),
      map((message) => decodeBusEvent(base, message)),
      filter((heard) => heard.type === 'message' && heard.kind === 'info' && heard.message.key === identity.publicKey),
      map(() => undefined),
    ),
  );
  bus.subscribe([topic]);
  return born;
}

async function takeBack(context: Context, requests: RequestClient, to: string): Promise<number> {
  const { id } = context.config;
  await requests.send('rename', { to, value: 'OFF' }).then(
    () => context.report(`${id} keeps its id and accepts work again`),
    () =>
      context.report(
        `${id} did not answer; unless it is ${to} by now, it keeps its id and accepts work again within 15 s`,
      ),
  );
  return EXIT.cancelled;
}

async function timeOut(to: string): Promise<never> {
  await sleep(BACK_MS, undefined, { ref: false });
  throw new CommandFailed(
    `nothing is left to wait for, but no node ${to} appeared within ${BACK_MS / 1000} s: see the log of the node`,
  );
}

function reportRenamed(context: Context, { from, to }: Renamed, isRunning: boolean): number {
  const origin = context.origins['username'] ?? 'default';
  const user = context.config.username;
  const hints =
    user === undefined || origin.startsWith('default') || user === to
      ? []
      : [
          `it still logs in to the broker as ${user} (${origin}): if the broker has an access list, the user must be ${to}`,
        ];
  if (context.json) printJson(context, { from, to, running: isRunning, hints });
  else {
    context.print(isRunning ? `${from} is now ${to}\n` : `${from} will be ${to} at its next start\n`);
    for (const hint of hints) context.report(hint);
  }
  return EXIT.done;
}
