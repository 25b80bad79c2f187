/**
 * Before the first part: alpha gets two burners while it is alone and becomes PLUS, gamma gets one and is ERGODIC, beta
 * is idle. It waits until the published states of all three say so.
 */
import { fileURLToPath } from 'node:url';
import type { Stage } from './stage.js';

/** The items that cause the load. */
export interface Burners {
  /** On alpha, the heavier one. */
  readonly heavy: string;
  /** All of them, in the order of submission. */
  readonly all: readonly { readonly owner: string; readonly item: string }[];
}

const BURNER = fileURLToPath(new URL('burner.mjs', import.meta.url));
/** Shares of a core. On alpha's half core the first two cause a load of 1.0, and of 0.4 once the heavy one is gone. */
const LIGHT = '0.2';
const HEAVY = '0.3';
/** A load of 0.6: well between 0.45, where a node leaves MINUS, and 0.8, where it becomes PLUS. */
const BETWEEN = '0.3';

/** Starts the three nodes and their load. */
export async function raiseMesh(stage: Stage): Promise<Burners> {
  await stage.startNode('alpha');
  const light = await startBurner(stage, 'alpha', LIGHT, ['--migrate', 'restart']);
  const heavy = await startBurner(stage, 'alpha', HEAVY, ['--migrate', 'restart']);
  const [between] = await Promise.all([raiseGamma(stage), stage.startNode('beta')]);
  await stage.watch.until('alpha to be PLUS, gamma ERGODIC, beta MINUS and the sum 0', ({ states, mesh }) => {
    const trits = ['alpha', 'gamma', 'beta'].map((node) => states.get(node)?.trit);
    return trits.join() === '1,0,-1' && mesh?.sum === 0 && mesh.online === 3 ? true : undefined;
  });
  const all = [light, heavy, between].map((item) => ({ owner: item === between ? 'gamma' : 'alpha', item }));
  return { heavy, all };
}

/** Starts gamma with a burner that must stay there. */
async function raiseGamma(stage: Stage): Promise<string> {
  await stage.startNode('gamma');
  return startBurner(stage, 'gamma', BETWEEN, ['--here']);
}

/** Submits a burner and waits until it runs on its own node. */
async function startBurner(stage: Stage, node: string, share: string, flags: readonly string[]): Promise<string> {
  const command = [process.execPath, 'burner.mjs', share];
  const item = await stage.submit(node, [
    'run',
    '--no-wait',
    '--name',
    'burner',
    ...flags,
    '--in',
    BURNER,
    '--',
    ...command,
  ]);
  await stage.watch.until(`the burner ${item} to run on ${node}`, ({ statuses }) => {
    const status = statuses.get(item);
    return status?.phase === 'running' && status.receiver === node ? true : undefined;
  });
  return item;
}
