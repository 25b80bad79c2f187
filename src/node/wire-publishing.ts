/**
 * Wires what the node publishes about itself and the mesh: its birth, availability, trit and state, its SCUM list,
 * events, and the mesh's state when it is the reporter.
 */
import { distinctUntilChanged, filter, interval, map, share, type Observable } from 'rxjs';
import { describeDiskChange } from '../core/disk/disk-space.js';
import type { MeshSum } from '../core/mesh/member-table.js';
import type { NodeEvent, State } from '../protocol/messages.js';
import { deriveMesh } from '../pipelines/mesh/sum.js';
import { publishMesh } from '../pipelines/mesh/publish-mesh.js';
import { publishScum, publishState } from '../pipelines/load/publish-state.js';
import type { NodeContext } from './context.js';

/** What the node can publish at any time, and what it derives to do so. */
export interface NodePublishing {
  readonly sum$: Observable<MeshSum>;
  readonly state$: Observable<State>;
  /** Publishes everything retained again. */
  publishAll(): void;
}

/** Wires all of it. */
export function wirePublishing(context: NodeContext): NodePublishing {
  const { inbox, nodeState, settings, clock, publisher } = context;
  const self = settings.id;
  const state$ = context.settled$.pipe(
    map(() => nodeState.state()),
    distinctUntilChanged(),
    filter((state) => state !== undefined),
    share(),
  );
  const readState = (): State | undefined => {
    nodeState.refresh();
    return nodeState.state();
  };
  const sum$ = context.live(deriveMesh(context.dirty$, context.members, clock, settings.mesh).pipe(share()));

  context
    .live(publishState(state$, readState, settings.stateEveryMs, clock))
    .subscribe((body) => publishOwnState(context, body));
  context
    .live(
      state$.pipe(
        map((state) => state.trit),
        distinctUntilChanged(),
      ),
    )
    .subscribe((trit) => {
      publisher.publishText({ kind: 'trit', node: self }, String(trit));
    });
  const scum$ = inbox.inputs$.pipe(
    filter((input) => input.type === 'ProcessesListed' || input.type === 'ThrottleInput'),
    map(() => nodeState.scum()),
  );
  context.live(publishScum(scum$, clock)).subscribe((body) => publishOwnScum(context, body));
  context.live(publishMesh(sum$, context.members, clock, settings.mesh, self)).subscribe((body) => {
    // A former reporter must not publish its old report again when it reconnects.
    if (body?.reporter === self) publisher.publish({ type: 'Publish', kind: 'mesh', topic: { kind: 'mesh' }, body });
    else publisher.forget({ kind: 'mesh' });
  });
  context.live(sum$).subscribe(() => inbox.push({ type: 'MeshChanged' }));
  wireEvents(context);

  const publishAll = (): void => publishRetained(context, readState());
  // A broker may lose what it acknowledged: a birth that nobody received would leave this node unknown for ever.
  context.live(interval(settings.stateEveryMs * BIRTH_STATES, clock.scheduler)).subscribe(() => publishBirth(context));
  context.live(inbox.inputs$.pipe(filter((input) => input.type === 'RefreshAsked'))).subscribe(publishAll);
  return { sum$, state$, publishAll };
}

function publishOwnState(context: NodeContext, state: State): void {
  const body = { ...state, mark: context.journalMark.written };
  context.publisher.publish({
    type: 'Publish',
    kind: 'state',
    topic: { kind: 'state', node: context.settings.id },
    body,
  });
  context.nodeState.markPublished(body);
  context.journalMark.advance();
}

function publishOwnScum(context: NodeContext, body: ReturnType<NodeContext['nodeState']['scum']>): void {
  context.publisher.publish({
    type: 'Publish',
    kind: 'scum',
    topic: { kind: 'scum', node: context.settings.id },
    body,
  });
}

/** The birth is published again with every so many states. */
const BIRTH_STATES = 4;

function publishBirth(context: NodeContext): void {
  const { publisher, settings, birth } = context;
  const { v: _v, ts: _ts, boot: _boot, seq: _seq, ...body } = birth;
  publisher.publishText({ kind: 'availability', node: settings.id }, 'online');
  publisher.publish({ type: 'Publish', kind: 'info', topic: { kind: 'info', node: settings.id }, body });
}

function publishRetained(context: NodeContext, state: State | undefined): void {
  const { publisher, settings } = context;
  const self = settings.id;
  publishBirth(context);
  if (state === undefined) return;
  publisher.publishText({ kind: 'trit', node: self }, String(state.trit));
  publishOwnState(context, state);
  publishOwnScum(context, context.nodeState.scum());
}

/** Events are for people and dashboards: they are published once and not retained. */
function wireEvents(context: NodeContext): void {
  const publish = (body: NodeEvent): void =>
    context.publisher.publish({
      type: 'Publish',
      kind: 'event',
      topic: { kind: 'event', node: context.settings.id },
      body,
    });
  context.live(context.inbox.inputs$).subscribe((input) => {
    if (input.type === 'LoadClassified' && input.changed) {
      const reason = `the load ratio is ${input.sample.ratio.toFixed(2)}`;
      publish({ event_type: 'trit_changed', trit: input.trit, load_ratio: input.sample.ratio, reason });
    }
    if (input.type === 'SetHeard') publish({ event_type: `${input.key}_set`, value: input.value });
    if (input.type === 'DiskMeasured' && input.changed)
      publish({ event_type: 'disk_changed', full: input.disk.isFull, reason: describeDiskChange(input.disk) });
    if (input.type === 'JournalChanged')
      publish({ event_type: 'journal_changed', reason: input.fault ?? 'the journal can be written again' });
  });
}
