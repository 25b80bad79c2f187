/**
 * The first stage: merges the sensors into one stream of inputs. It names each sample and reports a lasting fault once;
 * it never reads the machine itself and never alters a sample.
 */
import { distinctUntilChanged, EMPTY, map, merge, type Observable } from 'rxjs';
import type { DiskSample } from '../../core/disk/disk-space.js';
import type { LoadSample, ProcessSample, Sense, SenseFault } from '../../sense/sense.js';

/** A sample or fault of one of the sensors. */
export type Sensed =
  | { readonly type: 'LoadSampled'; readonly sample: LoadSample }
  | { readonly type: 'ProcessesListed'; readonly processes: readonly ProcessSample[] }
  | { readonly type: 'DiskSampled'; readonly sample: DiskSample }
  /** Emitted once while the fault lasts, and again after a good reading or with a different message. */
  | { readonly type: 'SenseFailed'; readonly sense: 'load' | 'processes' | 'disk'; readonly fault: string };

/** All sensors of a node as one stream. Cold; it completes when all have completed, and errors when one does. */
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
