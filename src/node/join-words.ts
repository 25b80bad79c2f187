/**
 * Joins what the node says of itself and of the mesh: its birth, availability, trit and state, its heavy processes, events,
 * and the mesh's state when it is the reporter.
 */
import { distinctUntilChanged, filter, interval, map, share, type Observable } from 'rxjs';
import { describeDiskChange } from '../core/disk-room.js';
import type { MeshSum } from '../core/mesh.js';
import type { NodeEvent, State } from '../protocol/messages.js';
import { deriveMesh } from '../pipelines/derive.js';
import { electMesh } from '../pipelines/elect.js';
import { publishScum, publishState } from '../pipelines/publish.js';
import type { Workbench } from './context.js';

/** What the node can say at any time, and what it derives to say it. */
export interface Words {
  readonly sum$: Observable<MeshSum>;
  readonly state$: Observable<State>;
  /** Says everything retained anew. */
  sayAll(): void;
}

/** Joins them. */
export function joinWords(bench: Workbench): Words {
  const { inbox, condition, settings, clock, speaker } = bench;
  const self = settings.id;
  const state$ = inbox.quiet$.pipe(
    map(() => condition.state()),
    distinctUntilChanged(),
    filter((state) => state !== undefined),
    share(),
  );
  const readState = (): State | undefined => {
    condition.refresh();
    return condition.state();
  };
  const sum$ = bench.live(deriveMesh(bench.stirred$, bench.view, clock, settings.mesh).pipe(share()));

  bench.live(publishState(state$, readState, settings.stateEveryMs, clock)).subscribe((body) => sayState(bench, body));
  bench
    .live(
      state$.pipe(
        map((state) => state.trit),
        distinctUntilChanged(),
      ),
    )
    .subscribe((trit) => {
      speaker.sayText({ kind: 'trit', node: self }, String(trit));
    });
  const scum$ = inbox.inputs$.pipe(
    filter((input) => input.type === 'ProcessesListed' || input.type === 'ThrottleFact'),
    map(() => condition.scum()),
  );
  bench.live(publishScum(scum$, clock)).subscribe((body) => sayScum(bench, body));
  bench.live(electMesh(sum$, bench.view, clock, settings.mesh, self)).subscribe((body) => {
    // A former reporter must not say its old report again when it reconnects.
    if (body?.reporter === self) speaker.say({ type: 'Say', kind: 'mesh', topic: { kind: 'mesh' }, body });
    else speaker.forget({ kind: 'mesh' });
  });
  bench.live(sum$).subscribe(() => inbox.push({ type: 'MeshChanged' }));
  joinEvents(bench);

  const sayAll = (): void => sayEverything(bench, readState());
  // A broker may lose what it acknowledged: a birth that nobody heard would keep this node a stranger for ever.
  bench.live(interval(settings.stateEveryMs * BIRTH_STATES, clock.scheduler)).subscribe(() => sayBirth(bench));
  bench.live(inbox.inputs$.pipe(filter((input) => input.type === 'RefreshAsked'))).subscribe(sayAll);
  return { sum$, state$, sayAll };
}

function sayState(bench: Workbench, state: State): void {
  const body = { ...state, mark: bench.mark.written };
  bench.speaker.say({ type: 'Say', kind: 'state', topic: { kind: 'state', node: bench.settings.id }, body });
  bench.condition.said(body);
  bench.mark.advance();
}

function sayScum(bench: Workbench, body: ReturnType<Workbench['condition']['scum']>): void {
  bench.speaker.say({ type: 'Say', kind: 'scum', topic: { kind: 'scum', node: bench.settings.id }, body });
}

/** The birth is said again with every so many states. */
const BIRTH_STATES = 4;

function sayBirth(bench: Workbench): void {
  const { speaker, settings, birth } = bench;
  const { v: _v, ts: _ts, boot: _boot, seq: _seq, ...body } = birth;
  speaker.sayText({ kind: 'availability', node: settings.id }, 'online');
  speaker.say({ type: 'Say', kind: 'info', topic: { kind: 'info', node: settings.id }, body });
}

function sayEverything(bench: Workbench, state: State | undefined): void {
  const { speaker, settings } = bench;
  const self = settings.id;
  sayBirth(bench);
  if (state === undefined) return;
  speaker.sayText({ kind: 'trit', node: self }, String(state.trit));
  sayState(bench, state);
  sayScum(bench, bench.condition.scum());
}

/** Events are for people and dashboards: they are said once and kept nowhere. */
function joinEvents(bench: Workbench): void {
  const say = (body: NodeEvent): void =>
    bench.speaker.say({ type: 'Say', kind: 'event', topic: { kind: 'event', node: bench.settings.id }, body });
  bench.live(bench.inbox.inputs$).subscribe((input) => {
    if (input.type === 'LoadClassified' && input.changed) {
      const reason = `the load ratio is ${input.sample.ratio.toFixed(2)}`;
      say({ event_type: 'trit_changed', trit: input.trit, load_ratio: input.sample.ratio, reason });
    }
    if (input.type === 'SetHeard') say({ event_type: `${input.key}_set`, value: input.value });
    if (input.type === 'DiskMeasured' && input.changed)
      say({ event_type: 'disk_changed', full: input.disk.isFull, reason: describeDiskChange(input.disk) });
    if (input.type === 'JournalChanged')
      say({ event_type: 'journal_changed', reason: input.fault ?? 'it can be written again' });
  });
}
