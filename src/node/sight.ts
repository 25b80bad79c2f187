/**
 * What the user of a running node sees and may do: Observables that give their present value first, and the few commands.
 */
import { auditTime, defer, map, merge, of, startWith, type Observable } from 'rxjs';
import { rankReceivers } from '../core/election.js';
import { deriveSum } from '../core/mesh.js';
import { ANY_ASK } from '../pipelines/elect.js';
import type { Item } from '../protocol/item.js';
import type { Words } from './join-words.js';
import type { NodePorts } from './ports.js';
import type { RunningNode } from './running-node.js';
import type { Workbench } from './context.js';

/** Changes are shown at most this often, ms: a view of thousands is copied for each. */
const SHOW_MS = 100;

/** Makes the outside of a node. */
export function createSight(bench: Workbench, ports: NodePorts, words: Words): RunningNode {
  const { view, clock, settings, own } = bench;
  const stirred$ = bench.live(merge(bench.stirred$, bench.inbox.heard$));
  const look = <T>(read: () => T): Observable<T> =>
    defer(() => stirred$.pipe(auditTime(SHOW_MS, clock.scheduler), startWith(undefined), map(read)));
  const sum$ = defer(() => merge(of(deriveSum(view, clock.now(), settings.mesh)), words.sum$));
  return {
    id: settings.id,
    members$: look(() => [...view.values()]),
    sum$,
    direction$: sum$.pipe(map((sum) => sum.direction)),
    receivers$: look(() => rankReceivers(view, ANY_ASK, clock.now(), bench.reach.rules())),
    items$: look(() => [...own.ledger.states.values()]),
    state$: bench.live(words.state$),
    notes$: bench.notes.notes$,
    leaves$: bench.leaves$,
    submit: (item, done) => submit(bench, item, done),
    stop: (done) => stopNode(bench, ports, done),
  };
}

function submit(bench: Workbench, item: Item, done: (error?: Error) => void): void {
  const { journalFault } = bench.condition;
  if (journalFault !== undefined) return done(new Error(`the journal cannot be written: ${journalFault}`));
  if (bench.own.ledger.states.has(item.item)) return done(new Error(`there is an item ${item.item} already`));
  const submitted_at = new Date(bench.clock.wall()).toISOString();
  bench.inbox.push({ type: 'ItemSubmitted', item: { ...item, submitted_at } });
  bench.inbox.push({ type: 'AfterAsked', subject: `item/${item.item}`, done: () => done() });
}

/** How long a stopping node waits until it is written down that nothing is throttled any more, ms. */
const RELEASE_MS = 2000;

/** The journal closes last: what was decided before is still written. */
function stopNode(bench: Workbench, ports: NodePorts, done: () => void): void {
  let waits = true;
  const close = (): void => {
    patience.unsubscribe();
    if (waits) closePorts(bench, ports, done);
    waits = false;
  };
  // A journal that cannot be written does not keep a node from stopping: the undoing itself waits for nothing.
  const patience = bench.clock.scheduler.schedule(close, RELEASE_MS);
  bench.throttling.release('the node stops', close);
}

function closePorts(bench: Workbench, ports: NodePorts, done: () => void): void {
  bench.stop();
  ports.runner.close();
  ports.throttle?.close();
  ports.door?.close(() => undefined);
  ports.direct?.close();
  ports.bus.close(() => ports.transfer.close(() => ports.journal.close(done)));
}
