/**
 * The first stage: what the senses say becomes one stream of inputs. It names what came and says a lasting fault once;
 * it never reads the machine itself and never alters a sample.
 */
import { distinctUntilChanged, EMPTY, map, merge, type Observable } from 'rxjs';
import type { DiskSample } from '../core/disk-room.js';
import type { LoadSample, ProcessSample, Sense, SenseFault } from '../sense/sense.js';

/** What was sensed. */
export type Sensed =
  | { readonly type: 'LoadSampled'; readonly sample: LoadSample }
  | { readonly type: 'ProcessesListed'; readonly processes: readonly ProcessSample[] }
  | { readonly type: 'DiskSampled'; readonly sample: DiskSample }
  /** Said once while it lasts, again after a good reading or with another sentence. */
  | { readonly type: 'SenseFailed'; readonly sense: 'load' | 'processes' | 'disk'; readonly fault: string };

/** The senses of a node as one stream. Cold; it ends when all have ended, and errors where one does. */
export function sense(sense: Sense): Observable<Sensed> {
  return merge(
    sense.load$.pipe(map(nameLoad), distinctUntilChanged(isSameFault)),
    sense.processes$.pipe(map(nameProcesses), distinctUntilChanged(isSameFault)),
    (sense.disk$ ?? EMPTY).pipe(map(nameDisk), distinctUntilChanged(isSameFault)),
  );
}

function nameLoad(reading: LoadSample | SenseFault): Sensed {
  if ('fault' in reading) return { type: 'SenseFailed', sense: 'load', fault: reading.fault };
  return { type: 'LoadSampled', sample: reading };
}

function nameProcesses(reading: readonly ProcessSample[] | SenseFault): Sensed {
  if ('fault' in reading) return { type: 'SenseFailed', sense: 'processes', fault: reading.fault };
  return { type: 'ProcessesListed', processes: reading };
}

function nameDisk(reading: DiskSample | SenseFault): Sensed {
  if ('fault' in reading) return { type: 'SenseFailed', sense: 'disk', fault: reading.fault };
  return { type: 'DiskSampled', sample: reading };
}

function isSameFault(before: Sensed, after: Sensed): boolean {
  return before.type === 'SenseFailed' && after.type === 'SenseFailed' && before.fault === after.fault;
}
