/**
 * `tritmesh rename NEW`: another id for this machine's node. One that runs is asked to let go of all that others know by its old
 * id, and is waited for; one that does not run is renamed where it lies. Ctrl-C leaves the node as it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { filter, firstValueFrom, fromEvent, map, merge, take } from 'rxjs';
import { nameConfig } from '../compose-identity.js';
import { createProbeBus } from '../compose-twin.js';
import { loadSigner, type Client, type Signer } from '../compose-client.js';
import { checkUser, renameState, runsAs, type Renamed } from '../compose-rename.js';
import { readHeard } from '../observe/heard.js';
import { formatTopic, NODE_ID_PATTERN } from '../protocol/topics.js';
import { askUntilReady, type RenameWish } from './ask-to-rename.js';
import { createAsker, type Asker } from './ask.js';
import { printJson, type Context } from './context.js';
import { BadInput, CommandFailed, EXIT } from './failure.js';
import { openClient } from './look.js';

/** The record is looked at so often, ms. */
const RECORD_MS = 500;
/** Until the node is back under its new id, ms. */
const BACK_MS = 90_000;

/** Renames; exits with 130 when the person gave up. */
export async function renameNode(context: Context, to: string): Promise<number> {
  if (!NODE_ID_PATTERN.test(to)) throw new BadInput('NEW', to, 'must be 1 to 32 lower-case letters, digits and dashes');
  const { config, record } = context;
  if (record !== undefined && record.id !== config.id) {
    throw new BadInput('--id', config.id, `must be ${record.id}, whose state directory this is, or left out`);
  }
  if (to === config.id) throw new BadInput('NEW', to, 'is its id already');
  const renamed = await renameState(context, to).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'JournalHeld') return undefined;
    throw error;
  });
  if (renamed !== undefined) return tellRenamed(context, renamed, false);
  return renameRunning(context, to);
}

async function renameRunning(context: Context, to: string): Promise<number> {
  const { config } = context;
  const after = nameConfig(context, to, config.base);
  if (after.username !== config.username) await checkUser(createProbeBus(after), to);
  const signer = await loadSigner(config.state_dir, config.id);
  if (signer === undefined) throw new CommandFailed(`${config.state_dir} holds no key to ask its node with`);
  const client = openClient(config);
  const asker = createAsker({ ...client, node: config.id, verbs: ['rename'], signer });
  const back = Promise.race([watchBirth(client, signer, to), watchRecord(config.state_dir, to)]);
  // Whoever waits for it hears of its fault; before that it is nobody's.
  back.catch(() => undefined);
  const wish: RenameWish = { asker, from: config.id, to, clock: client.clock, say: context.say, isOver: false };
  const interrupted = firstValueFrom(
    merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(
      take(1),
      map(() => 'interrupted' as const),
    ),
  );
  try {
    await client.connect();
    const end = await Promise.race([back.then(() => 'back' as const), askUntilReady(wish), interrupted]);
    wish.isOver = true;
    if (end === 'interrupted') return await takeBack(context, asker, to);
    if ((await Promise.race([back, timeOut(to), interrupted])) === 'interrupted')
      return await takeBack(context, asker, to);
    return tellRenamed(context, { from: config.id, to, cleared: 0 }, true);
  } finally {
    await client.close();
  }
}

/** Resolves once a node runs here again and its state directory says the new id: the broker may be away, or another one. */
async function watchRecord(stateDir: string, to: string): Promise<void> {
  while (!(await runsAs(stateDir, to))) await sleep(RECORD_MS, undefined, { ref: false });
}

/** Resolves once the node under the new id is there: its birth carries this state directory's key. */
function watchBirth({ bus, base }: Client, { identity }: Signer, to: string): Promise<void> {
  const topic = formatTopic(base, { kind: 'info', node: to });
  const born = firstValueFrom(
    bus.messages$.pipe(
      filter((message) => message.topic === topic && !message.retained),
      map((message) => readHeard(base, message)),
      filter((heard) => heard.type === 'message' && heard.kind === 'info' && heard.message.key === identity.publicKey),
      map(() => undefined),
    ),
  );
  bus.subscribe([topic]);
  return born;
}

async function takeBack(context: Context, asker: Asker, to: string): Promise<number> {
  const { id } = context.config;
  await asker.ask('rename', { to, value: 'OFF' }).then(
    () => context.say(`${id} keeps its id and takes work again`),
    () =>
      context.say(`${id} did not answer; it keeps its id, and takes work again within 15 s, unless it is ${to} by now`),
  );
  return EXIT.cancelled;
}

async function timeOut(to: string): Promise<never> {
  await sleep(BACK_MS, undefined, { ref: false });
  throw new CommandFailed(`nothing is left to wait for, but no node ${to} has come: look at the log of the node`);
}

function tellRenamed(context: Context, { from, to }: Renamed, isRunning: boolean): number {
  const origin = context.origins['username'] ?? 'default';
  const user = context.config.username;
  const hints =
    user === undefined || origin.startsWith('default') || user === to
      ? []
      : [`it goes on logging in to the broker as ${user} (${origin}): where users have rules, it must be ${to}`];
  if (context.json) printJson(context, { from, to, running: isRunning, hints });
  else {
    context.print(isRunning ? `${from} is ${to} now\n` : `${from} will be ${to} when it is started\n`);
    for (const hint of hints) context.say(hint);
  }
  return EXIT.done;
}
