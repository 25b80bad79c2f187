/**
 * The second part: an unsigned MQTT message, as any script could send it, asks alpha to move its heaviest item. The
 * item is stopped, transferred with its directory to the idle node and continues there, and alpha's load falls.
 */
import type { Response } from '../src/protocol/messages.js';
import type { BusWatch } from './bus-watch.js';
import { insist } from './demo-failed.js';
import type { Burners } from './raise-mesh.js';
import type { Stage } from './stage.js';

const TURNS_MAX = 3;
/** How much alpha's ratio must fall: half of the ratio that the moved burner causes. */
const FALL_MIN = 0.3;

/** Plays the second part. */
export async function moveBurner({ narrator, watch }: Stage, { heavy }: Burners): Promise<void> {
  const before = await watch.until('alpha to be at 0.8 or above', ({ states }) => {
    const ratio = states.get('alpha')?.load_ratio ?? 0;
    return ratio >= 0.8 ? ratio : undefined;
  });
  narrator.print(`alpha is at ${before.toFixed(2)}; now a plain, unsigned message, as mosquitto_pub would send it:`);
  const answer = await askToMove(watch);
  insist(answer.status === 'ok', `alpha refused to move an item: ${answer.error ?? 'no reason'}`);
  insist(
    answer.data['item'] === heavy,
    `alpha chose ${String(answer.data['item'])}, but its heaviest item is ${heavy}`,
  );
  await watch.until(`the burner ${heavy} to run on beta`, ({ statuses }) => {
    const status = statuses.get(heavy);
    return status?.phase === 'running' && status.receiver === 'beta' ? true : undefined;
  });
  const output = await watch.until('output of the moved burner on beta', ({ outputs }) => outputs.get(`${heavy} beta`));
  insist(/continuing at round [1-9]/.test(output), `the moved burner started over: ${output.trim()}`);
  narrator.print(`the burner on beta: ${output.trim()}`);
  const after = await watch.until(`alpha to fall ${FALL_MIN} below ${before.toFixed(2)}`, ({ states }) => {
    const ratio = states.get('alpha')?.load_ratio ?? before;
    return ratio <= before - FALL_MIN ? ratio : undefined;
  });
  narrator.print(`alpha fell from ${before.toFixed(2)} to ${after.toFixed(2)}`);
}

/** Requests the move. If the first job has just made beta busy, it asks again once beta is MINUS. */
async function askToMove(watch: BusWatch): Promise<Response> {
  for (let turn = 1; ; turn += 1) {
    const asked = await watch.until('beta to be MINUS', ({ states }) => {
      const state = states.get('beta');
      return state?.trit === -1 ? state : undefined;
    });
    const transaction = `demo-move-${turn}`;
    const payload = JSON.stringify({ select: 'top', transaction });
    await watch.publish({ kind: 'request', node: 'alpha', verb: 'migrate' }, payload);
    const answer = await watch.until('the answer to the migrate request', ({ responses }) =>
      responses.get(transaction),
    );
    if (answer.status === 'ok' || turn === TURNS_MAX) return answer;
    await watch.until('another state of beta', ({ states }) => (states.get('beta') === asked ? undefined : true));
  }
}
