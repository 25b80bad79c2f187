/** The public side of a running node: Observables that emit their current value first, and a few commands. */
import { auditTime, defer, map, merge, of, startWith, type Observable } from 'rxjs';
import { ANY_ITEM, rankReceivers } from '../core/mesh/ranking.js';
import { deriveSum } from '../core/mesh/member-table.js';
import type { Item } from '../protocol/item.js';
import type { NodePublishing } from './wire-publishing.js';
import type { NodePorts } from './ports.js';
import type { RunningNode } from './running-node.js';
import type { NodeContext } from './context.js';

/** Changes are emitted at most this often, ms: each one copies a table of thousands. */
const VIEW_MS = 100;

/** Creates the public side of a node. */
export function createRunningNode(context: NodeContext, ports: NodePorts, publishing: NodePublishing): RunningNode {
  const { members, clock, settings, items } = context;
  const changed$ = context.live(merge(context.dirty$, context.inbox.heard$));
  const view = <T>(read: () => T): Observable<T> =>
    defer(() => changed$.pipe(auditTime(VIEW_MS, clock.scheduler), startWith(undefined), map(read)));
  const sum$ = defer(() => merge(of(deriveSum(members, clock.now(), settings.mesh)), publishing.sum$));
  return {
    id: settings.id,
    members$: view(() => [...members.values()]),
    sum$,
    direction$: sum$.pipe(map((sum) => sum.direction)),
    receivers$: view(() => rankReceivers(members, ANY_ITEM, clock.now(), context.reach.rules())),
    items$: view(() => [...items.machines.states.values()]),
    state$: context.live(publishing.state$),
    notes$: context.log.notes$,
    leaves$: context.leaves$,
    submit: (item, done) => submit(context, item, done),
    stop: (done) => stopNode(context, ports, done),
  };
}

function submit(context: NodeContext, item: Item, done: (error?: Error) => void): void {
  const { journalFault } = context.nodeState;
  if (journalFault !== undefined) return done(new Error(`the journal cannot be written: ${journalFault}`));
  if (context.items.machines.states.has(item.id)) return done(new Error(`item ${item.id} already exists`));
  const submitted_at = new Date(context.clock.wall()).toISOString();
  context.inbox.push({ type: 'ItemSubmitted', item: { ...item, submitted_at } });
  context.inbox.push({ type: 'AfterAsked', subject: `item/${item.id}`, done: () => done() });
}

/** How long a stopping node waits for the journal to record that nothing is throttled any more, ms. */
const RELEASE_MS = 2000;

/** The journal closes last: what was decided before is still written. */
function stopNode(context: NodeContext, ports: NodePorts, done: () => void): void {
  let isWaiting = true;
  const close = (): void => {
    timeout.unsubscribe();
    if (isWaiting) closePorts(context, ports, done);
    isWaiting = false;
  };
  // A journal that cannot be written must not keep a node from stopping: the undoing does not wait for it.
  const timeout = context.clock.scheduler.schedule(close, RELEASE_MS);
  context.throttling.release('the node stops', close);
}

function closePorts(context: NodeContext, ports: NodePorts, done: () => void): void {
  context.stop();
  ports.runner.close();
  ports.throttle?.close();
  ports.door?.close(() => undefined);
  ports.direct?.close();
  ports.bus.close(() => ports.transfer.close(() => ports.journal.close(done)));
}
