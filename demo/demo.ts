/**
 * `npm run demo`: a broker and three nodes on this machine show the mesh at work. Each part waits for events, never for
 * time to pass; the exit code is 0 only if all of them happened. It leaves nothing behind, not even after Ctrl-C.
 */
import { deferWork } from './defer-work.js';
import { DemoFailed } from './demo-failed.js';
import { moveBurner } from './move-burner.js';
import { createNarrator } from './narrator.js';
import { raiseMesh } from './raise-mesh.js';
import { runAway } from './run-away.js';
import { createDemoContext, type Stage } from './stage.js';
import { createWaitList, type WaitList } from './wait-list.js';

/** Time limit of the whole demo; it takes about half of it on two cores. */
const LIMIT_MS = 90_000;
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const SIGPIPE_CODE = 141;

// Not only `exitCode`: whatever the demo still waits for would keep the process alive.
process.exit(await runDemo());

/** Runs the demo and returns the exit code. */
async function runDemo(): Promise<number> {
  const narrator = createNarrator(() => performance.now());
  const waits = createWaitList();
  const interrupted = awaitSignal();
  const limit = startLimit(waits);
  const context = createDemoContext(narrator, waits);
  try {
    const played = context.open().then((stage) => play(stage));
    // If something else ends the demo first, nobody handles a later rejection.
    played.catch(() => undefined);
    const code = await Promise.race([played, limit.over, interrupted, context.programs.broken]);
    if (code !== 0) narrator.print('interrupted: stopping everything');
    else narrator.succeed('all done: a job ran on another node, was moved by a message, and was woken by the sum');
    return code;
  } catch (error) {
    narrator.fail(describeError(error));
    return 1;
  } finally {
    limit.clear();
    narrator.silence();
    await context.close();
  }
}

async function play(stage: Stage): Promise<number> {
  const { narrator } = stage;
  narrator.part('A mesh of three nodes: alpha is busy, gamma is in between, beta is idle');
  const burners = await raiseMesh(stage);
  narrator.part('1. A job with a file is submitted on busy alpha and runs on idle beta; its output comes back');
  await runAway(stage);
  narrator.part('2. A single plain MQTT message moves the heaviest item away from alpha');
  await moveBurner(stage, burners);
  narrator.part('3. A deferred job sleeps until the sum of the mesh is negative');
  await deferWork(stage, burners);
  return 0;
}

/** Resolves with the exit code of the first signal. Later ones are ignored: cleaning up is quick. */
function awaitSignal(): Promise<number> {
  return new Promise((resolve) => {
    // If the reader of stdout is gone (`npm run demo | head`), that counts as a signal, too.
    process.stdout.on('error', () => resolve(SIGPIPE_CODE));
    for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => resolve(code));
  });
}

function startLimit(waits: WaitList): { readonly over: Promise<never>; clear(): void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DemoFailed(`it did not end within ${LIMIT_MS / 1000} s, waiting for ${waits.describe()}`));
    }, LIMIT_MS);
  });
  over.catch(() => undefined);
  return { over, clear: () => clearTimeout(timer) };
}

/** The message of a failed demo; the stack of any other error, which is a bug. */
function describeError(error: unknown): string {
  if (error instanceof DemoFailed) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
