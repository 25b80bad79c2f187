/**
 * Lays the watch for a twin out: what this run is to one that has its key.
 */
import type { Subject } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { createTwinWatch, type TwinWatch } from '../pipelines/twin-watch.js';
import type { Notes } from './notes.js';
import type { Leave } from './running-node.js';

/** What the watch is joined from. */
export interface TwinGround {
  readonly key: string;
  readonly clock: Clock;
  readonly notes: Notes;
  readonly leaves$: Subject<Leave>;
}

/** Lays it out; `boot` is the number of this run. */
export function layTwins(settings: NodeSettings, boot: number, ground: TwinGround): TwinWatch {
  const { id, info, twin } = settings;
  const { key, clock, notes, leaves$ } = ground;
  return createTwinWatch({
    self: id,
    key,
    version: info.version,
    mine: { ...(twin?.mine ?? { instance: 'none', host: info.host, fit: 'fits' }), boot: twin?.since ?? boot },
    clock,
    trustsLink: twin?.trustsLink ?? true,
    met: twin?.met ?? [],
    say: notes.say,
    leave: (leave) => leaves$.next(leave),
  });
}
