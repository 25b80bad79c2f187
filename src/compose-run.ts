/**
 * Keeps a node running: where the node itself wants to be stopped, because it was renamed, it is stopped in good order, what
 * it asked for is done, and it is started again. It starts nothing again that failed.
 */
import { take } from 'rxjs';
import { composeNode, type ComposedNode, type NodeOrder } from './compose.js';
import { renameState } from './compose-rename.js';
import type { Suspicion } from './pipelines/twin-watch.js';
import type { Leave } from './node/running-node.js';

/** Told of each start. */
export interface KeepEvents {
  started(composed: ComposedNode): Promise<void> | void;
  /** A line for people about what is done between two starts. */
  tell(text: string): void;
}

/** A node that is kept running. */
export interface KeptNode {
  /** Rejects when it cannot go on; never resolves otherwise. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Starts a node and keeps it. Rejects as {@link composeNode} does. */
export async function keepNode(order: NodeOrder, events: KeepEvents): Promise<KeptNode> {
  let running: ComposedNode | undefined;
  let turning: Promise<void> = Promise.resolve();
  let isStopping = false;
  let suspected: Suspicion | undefined;
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  // Whoever only stops it has no use for the reason.
  failed.catch(() => undefined);

  async function start(): Promise<void> {
    const composed = await composeNode({ ...order, renames: true, tell: events.tell, suspected });
    running = composed;
    composed.node.leaves$.pipe(take(1)).subscribe((leave) => {
      turning = turn(composed, leave).catch(fail);
    });
    await events.started(composed);
  }

  async function turn(composed: ComposedNode, leave: Leave): Promise<void> {
    running = undefined;
    await composed.stop();
    if (leave.why === 'suspect') events.tell(`${leave.reason}; it stops, looks, and starts again if there is none`);
    suspected = leave.why === 'suspect' ? leave : undefined;
    if (leave.why === 'renamed') await rename(leave.to);
    if (!isStopping) await start();
  }

  async function rename(wanted: string): Promise<void> {
    await renameState(order, wanted).then(
      ({ from, to, cleared }) => events.tell(`${from} is ${to} from now on; ${cleared} topics of ${from} were cleared`),
      (error: unknown) => events.tell(`it was not renamed: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  await start();
  return {
    failed,
    stop: async () => {
      isStopping = true;
      await turning;
      await running?.stop();
    },
  };
}
