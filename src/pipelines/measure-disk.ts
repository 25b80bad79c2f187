/**
 * Each sample of the disk gets what it means to the node: room beyond the reserve, and whether it is full. It says every sample,
 * and makes none of its own; the decision itself is core's.
 */
import { map, scan, type Observable } from 'rxjs';
import { stepDisk, type DiskAmount, type DiskSample, type DiskState } from '../core/disk-room.js';

/** A sample as the node takes it. */
export interface DiskMeasure {
  readonly disk: DiskState;
  /** It is full and was not before, or the other way; the first sample is news only where it is full. */
  readonly changed: boolean;
}

/** Measures each sample when it comes. Every subscription begins anew. */
export function measureDisk(samples$: Observable<DiskSample>, reserve: DiskAmount): Observable<DiskMeasure> {
  return samples$.pipe(
    scan(
      (before: DiskMeasure | undefined, sample) => {
        const disk = stepDisk(before?.disk, sample, reserve);
        return { disk, changed: disk.isFull !== (before?.disk.isFull ?? false) };
      },
      undefined as DiskMeasure | undefined,
    ),
    // `scan` only emits what its function gave, which is never undefined.
    map((measure) => measure as DiskMeasure),
  );
}
