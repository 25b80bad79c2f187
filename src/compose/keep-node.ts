/**
 * Keeps a node running: when the node asks to leave, because it is renamed or may have a twin, it is stopped cleanly,
 * the rename or the check is done, and it is started again. A node that failed is not started again.
 */
import { take } from 'rxjs';
import { describeError } from '../os/errors.js';
import { composeNode, type ComposedNode, type NodeOrder } from './node.js';
import { renameState } from './rename.js';
import type { Suspicion } from '../pipelines/identity/twin-watch.js';
import type { Leave } from '../node/running-node.js';

/** What {@link keepNode} reports. */
export interface KeepEvents {
  started(composed: ComposedNode): Promise<void> | void;
  /** A line for people about what happens between two starts. */
  tell(text: string): void;
}

/** A node that is kept running. */
export interface KeptNode {
  /** Rejects when the node cannot be started again; never resolves. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Starts a node and keeps it running. Rejects as {@link composeNode} does. */
export async function keepNode(order: NodeOrder, events: KeepEvents): Promise<KeptNode> {
  let running: ComposedNode | undefined;
  let restarting: Promise<void> = Promise.resolve();
  let isStopping = false;
  let suspected: Suspicion | undefined;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  // Handled here, since a caller that only stops the node does not await it.
  failed.catch(() => undefined);

  async function start(): Promise<void> {
    const composed = await composeNode({ ...order, renames: true, tell: events.tell, suspected });
    running = composed;
    composed.node.leaves$.pipe(take(1)).subscribe((leave) => {
      restarting = restart(composed, leave).catch(fail);
    });
    await events.started(composed);
  }

  async function restart(composed: ComposedNode, leave: Leave): Promise<void> {
    running = undefined;
    await composed.stop();
    if (leave.why === 'suspect') events.tell(`${leave.reason}; it stops, checks, and starts again if there is none`);
    suspected = leave.why === 'suspect' ? leave : undefined;
    if (leave.why === 'renamed') await rename(leave.to);
    if (!isStopping) await start();
  }

  async function rename(wanted: string): Promise<void> {
    await renameState(order, wanted).then(
      ({ from, to, cleared }) => events.tell(`${from} is now called ${to}; ${cleared} topics of ${from} were cleared`),
      (error: unknown) => events.tell(`the node was not renamed: ${describeError(error)}`),
    );
  }

  await start();
  return {
    failed,
    stop: async () => {
      isStopping = true;
      await restarting;
      await running?.stop();
    },
  };
}
