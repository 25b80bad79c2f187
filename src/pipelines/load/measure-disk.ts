/**
 * Turns each disk sample into what it means for the node: space beyond the reserve, and whether the disk is full. It
 * emits one result per sample; the decision is the core's.
 */
import { map, scan, type Observable } from 'rxjs';
import { stepDisk, type DiskAmount, type DiskSample, type DiskState } from '../../core/disk/disk-space.js';

/** A disk sample with what it means for the node. */
export interface DiskMeasure {
  readonly disk: DiskState;
  /** The disk became full, or is no longer full. The first sample counts as a change only if the disk is full. */
  readonly changed: boolean;
}

/** Measures each sample as it comes. Every subscription starts from scratch. */
export function measureDisk(samples$: Observable<DiskSample>, reserve: DiskAmount): Observable<DiskMeasure> {
  return samples$.pipe(
    scan(
      (before: DiskMeasure | undefined, sample) => {
        const disk = stepDisk(before?.disk, sample, reserve);
        return { disk, changed: disk.isFull !== (before?.disk.isFull ?? false) };
      },
      undefined as DiskMeasure | undefined,
    ),
    // `scan` only emits what its function returned, which is never undefined.
    map((measure) => measure as DiskMeasure),
  );
}
