/**
 * `npm run demo`: a broker and three nodes on this machine show the mesh at work. Each part waits for what it names, never
 * for time to pass; the exit code is 0 only if all of it really happened. It leaves nothing behind, on Ctrl-C neither.
 */
import { deferWork } from './defer-work.js';
import { DemoFailed } from './demo-failed.js';
import { moveBurner } from './move-burner.js';
import { createNarrator } from './narrator.js';
import { raiseMesh } from './raise-mesh.js';
import { runAway } from './run-away.js';
import { layGround, type Stage } from './stage.js';
import { createWaitList, type WaitList } from './wait-list.js';

/** All of it together; it takes about half of this on two cores. */
const LIMIT_MS = 90_000;
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
const SIGPIPE_CODE = 141;

// Not only the code: what the play still waits for would hold the process.
process.exit(await runDemo());

/** Runs it; gives the exit code. */
async function runDemo(): Promise<number> {
  const narrator = createNarrator(() => performance.now());
  const waits = createWaitList();
  const interrupted = awaitSignal();
  const limit = startLimit(waits);
  const ground = layGround(narrator, waits);
  try {
    const played = ground.open().then((stage) => play(stage));
    // Whatever ends it first: what comes of the play afterwards has no listener.
    played.catch(() => undefined);
    const code = await Promise.race([played, limit.over, interrupted, ground.programs.broken]);
    if (code !== 0) narrator.tell('interrupted: ending what was started');
    else narrator.succeed('all of it happened: run away, moved by a message, woken by the sum');
    return code;
  } catch (error) {
    narrator.fail(describeError(error));
    return 1;
  } finally {
    limit.clear();
    narrator.hush();
    await ground.close();
  }
}

async function play(stage: Stage): Promise<number> {
  const { narrator } = stage;
  narrator.part('A mesh of three: alpha is busy, gamma is between, beta is idle');
  const burners = await raiseMesh(stage);
  narrator.part('1. A job with a file, submitted on busy alpha, runs on idle beta and comes home');
  await runAway(stage);
  narrator.part('2. One plain MQTT message moves the heaviest item off alpha');
  await moveBurner(stage, burners);
  narrator.part('3. A deferred job sleeps until the sum of the mesh is negative');
  await deferWork(stage, burners);
  return 0;
}

/** Resolves with the exit code of the signal; later ones change nothing, the cleaning up is short. */
function awaitSignal(): Promise<number> {
  return new Promise((resolve) => {
    // A reader that went away (`npm run demo | head`) is a signal, too.
    process.stdout.on('error', () => resolve(SIGPIPE_CODE));
    for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => resolve(code));
  });
}

function startLimit(waits: WaitList): { readonly over: Promise<never>; clear(): void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DemoFailed(`${LIMIT_MS / 1000} s are over, it waited for ${waits.describe()}`));
    }, LIMIT_MS);
  });
  over.catch(() => undefined);
  return { over, clear: () => clearTimeout(timer) };
}

/** A failure of the demo is a sentence; anything else is a fault of ours and shows where. */
function describeError(error: unknown): string {
  if (error instanceof DemoFailed) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
