/**
 * Room on a simulated machine's disk: what items and guests lie there take up of it, what strangers take, and what the system tells
 * of it, which may be more than it gives (a quota).
 */

/** Room, bytes. A simulated file has as many as its plan says. */
export interface SimRoom {
  /** Bytes of what has this content. */
  sizeOf(content: string): number;
  /** What can be written. */
  free(): number;
  /** What the system says. */
  told(): { readonly freeBytes: number; readonly totalBytes: number };
  /** Strangers leave no more than this free; with `told` false only a quota knows. */
  squeeze(leaves: number, told: boolean): void;
  /** Something else about the disk is another than before. */
  note(): void;
  /** They give it back. */
  relax(): void;
  /** Since when it is as it is, virtual ms: what a node believes may be a little older. */
  readonly changedAt: number;
  /** A quota is in force that the system does not tell of. */
  readonly lies: boolean;
}

/** Room of a disk that no item fills by itself. */
const TOTAL_BYTES = 100_000;

/** Makes the room of a machine whose files hold these contents. */
export function createSimRoom(
  files: ReadonlyMap<string, string>,
  sizeOf: (content: string) => number,
  isFull: () => boolean,
  now: () => number,
): SimRoom {
  let strangers = 0;
  let quota = Number.POSITIVE_INFINITY;
  let changedAt = Number.NEGATIVE_INFINITY;
  const used = (): number => {
    let bytes = 0;
    for (const content of files.values()) bytes += sizeOf(content);
    return bytes;
  };
  const tell = (): number => (isFull() ? 0 : Math.max(0, TOTAL_BYTES - used() - strangers));

  return {
    sizeOf,
    free: () => Math.max(0, Math.min(tell(), quota - used())),
    told: () => ({ freeBytes: tell(), totalBytes: TOTAL_BYTES }),
    squeeze: (leaves, told) => {
      changedAt = now();
      if (told) strangers = Math.max(0, TOTAL_BYTES - used() - leaves);
      else quota = used() + leaves;
    },
    note: () => {
      changedAt = now();
    },
    relax: () => {
      changedAt = now();
      strangers = 0;
      quota = Number.POSITIVE_INFINITY;
    },
    get changedAt() {
      return changedAt;
    },
    get lies() {
      return quota !== Number.POSITIVE_INFINITY;
    },
  };
}
