/**
 * Gathers incoming bytes into large blocks that are used again: TLS delivers 16 KiB at a time, and a new buffer for
 * each of those would keep the garbage collector busier than the cipher.
 */

/** Size of a block. */
const BLOCK_BYTES: number = 1024 * 1024;
/** With this many blocks waiting, the source is asked to pause. */
const BLOCKS_MAX = 3;

/** Bytes on their way from a source that calls to a reader that asks. */
export interface ByteBlocks {
  /** Copies bytes; returns false when the source is to pause until `onRoom` is called. */
  push(bytes: Uint8Array): boolean;
  /** No more bytes come; with an error, the reader gets it after what arrived before. */
  end(error?: Error): void;
  /**
   * Resolves to what has arrived since, or `undefined` at the end; rejects with the source's error. The bytes are valid
   * until the next call.
   */
  next(): Promise<Buffer | undefined>;
}

interface Block {
  readonly bytes: Buffer;
  filled: number;
}

/** Creates an empty store; `onRoom` is called when a paused source may go on. */
export function createByteBlocks(onRoom: () => void): ByteBlocks {
  const waiting: Block[] = [];
  const free: Block[] = [];
  let lent: Block | undefined;
  let isPaused = false;
  let over: { readonly error: Error | undefined } | undefined;
  let wake: () => void = () => undefined;

  function openBlock(): Block {
    const last = waiting.at(-1);
    if (last !== undefined && last.filled < BLOCK_BYTES) return last;
    const block = free.pop() ?? { bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES), filled: 0 };
    block.filled = 0;
    waiting.push(block);
    return block;
  }

  function push(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length;) {
      const block = openBlock();
      const count = Math.min(BLOCK_BYTES - block.filled, bytes.length - at);
      block.bytes.set(bytes.subarray(at, at + count), block.filled);
      block.filled += count;
      at += count;
    }
    wake();
    isPaused = waiting.length >= BLOCKS_MAX;
    return !isPaused;
  }

  function end(error?: Error): void {
    over ??= { error };
    wake();
  }

  async function next(): Promise<Buffer | undefined> {
    if (lent !== undefined) free.push(lent);
    lent = undefined;
    const isDry = (): boolean => waiting.length === 0 && over === undefined;
    while (isDry()) await new Promise<void>((resolve) => (wake = resolve));
    // Whatever else this turn of the event loop brings is handled together.
    if (waiting.length === 1 && over === undefined) await new Promise<void>((resolve) => setImmediate(resolve));
    lent = waiting.shift();
    if (lent === undefined && over?.error !== undefined) throw over.error;
    if (isPaused && waiting.length < BLOCKS_MAX) {
      isPaused = false;
      onRoom();
    }
    return lent?.bytes.subarray(0, lent.filled);
  }

  return { push, end, next };
}
