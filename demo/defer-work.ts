/**
 * The third part: a deferred job sleeps while the sum is not negative. It wakes up when the load ends and the sum turns
 * negative.
 */
import { WAKE_REASON } from '../src/core/placement/waking.js';
import type { Status } from '../src/protocol/status.js';
import { insist } from './demo-failed.js';
import type { Burners } from './raise-mesh.js';
import type { Stage } from './stage.js';

/** Plays the third part. */
export async function deferWork(stage: Stage, burners: Burners): Promise<void> {
  const { narrator, watch } = stage;
  await watch.until('all three to be ERGODIC and the sum 0', ({ mesh }) =>
    mesh?.ergodic === 3 && mesh.sum === 0 ? true : undefined,
  );
  const item = await stage.submit('alpha', ['defer', '--name', 'idle', '--', 'echo', 'the mesh is idle']);
  await watch.until(`the deferred job ${item} to sleep`, ({ statuses }) =>
    statuses.get(item)?.phase === 'deferred' ? true : undefined,
  );
  await sleepOn(stage, item);
  narrator.print('it sleeps while the sum is not negative; now plain messages cancel the burners');
  for (const { owner, item: burner } of burners.all) {
    await watch.publish({ kind: 'request', node: owner, verb: 'cancel' }, burner);
  }
  await watch.until('the sum to be negative', ({ mesh }) => (mesh !== undefined && mesh.sum < 0 ? true : undefined));
  const status = await watch.until(`the deferred job ${item} to be done`, ({ statuses }) => {
    const one = statuses.get(item);
    return one?.phase === 'done' ? one : undefined;
  });
  insist(status.exit_code === 0, `the deferred job ended with exit code ${status.exit_code}`);
  insist(wokeByTheSum(status), 'the deferred job was not woken by the sum');
  narrator.print(`it woke up when the sum turned negative, and ran on ${status.receiver}`);
}

/** Waits for two more states of alpha, during which the job must stay asleep. */
async function sleepOn({ watch }: Stage, item: string): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    const last = watch.snapshot.states.get('alpha');
    await watch.until('another state of alpha', ({ states }) => (states.get('alpha') === last ? undefined : true));
  }
  insist(
    watch.snapshot.statuses.get(item)?.phase === 'deferred',
    'the deferred job woke up although the sum was not negative',
  );
}

function wokeByTheSum({ history }: Status): boolean {
  const slept = history.findIndex((step) => step.phase === 'deferred');
  const next = history[slept + 1];
  return slept !== -1 && next?.phase === 'queued' && next.reason === WAKE_REASON;
}
