/**
 * The disk space of a simulated machine: what items and guests use, what other programs use, and what the system
 * reports, which may be more than a quota allows.
 */

/** The disk space of a machine, bytes. The plan determines the size of a simulated file. */
export interface SimDiskSpace {
  /** The size of a file with this content. */
  sizeOf(content: string): number;
  /** What can actually be written. */
  free(): number;
  /** What the system reports. */
  reported(): { readonly freeBytes: number; readonly totalBytes: number };
  /**
   * Limits the free space to `leaves`: other programs use the rest, or, unless `isReported`, a hidden quota applies.
   */
  limit(leaves: number, isReported: boolean): void;
  /** Notes that something else about the disk changed. */
  markChanged(): void;
  /** Ends the limit. */
  lift(): void;
  /** When it last changed, virtual ms. A node's sample may be older. */
  readonly changedAt: number;
  /** Whether a quota is in force that the system does not report. */
  readonly hasHiddenQuota: boolean;
}

/** More than any item needs. */
const TOTAL_BYTES = 100_000;

/** Creates disk space that never runs out: files take none of it. */
export function createAmpleDiskSpace(files: ReadonlyMap<string, string>): SimDiskSpace {
  return createSimDiskSpace(
    files,
    () => 0,
    () => false,
    () => 0,
  );
}

/** Creates the disk space of a machine with these files. */
export function createSimDiskSpace(
  files: ReadonlyMap<string, string>,
  sizeOf: (content: string) => number,
  isFull: () => boolean,
  now: () => number,
): SimDiskSpace {
  let otherBytes = 0;
  let quota = Number.POSITIVE_INFINITY;
  let changedAt = Number.NEGATIVE_INFINITY;
  const used = (): number => {
    let bytes = 0;
    for (const content of files.values()) bytes += sizeOf(content);
    return bytes;
  };
  const reportedFree = (): number => (isFull() ? 0 : Math.max(0, TOTAL_BYTES - used() - otherBytes));

  return {
    sizeOf,
    free: () => Math.max(0, Math.min(reportedFree(), quota - used())),
    reported: () => ({ freeBytes: reportedFree(), totalBytes: TOTAL_BYTES }),
    limit: (leaves, isReported) => {
      changedAt = now();
      if (isReported) otherBytes = Math.max(0, TOTAL_BYTES - used() - leaves);
      else quota = used() + leaves;
    },
    markChanged: () => {
      changedAt = now();
    },
    lift: () => {
      changedAt = now();
      otherBytes = 0;
      quota = Number.POSITIVE_INFINITY;
    },
    get changedAt() {
      return changedAt;
    },
    get hasHiddenQuota() {
      return quota !== Number.POSITIVE_INFINITY;
    },
  };
}
