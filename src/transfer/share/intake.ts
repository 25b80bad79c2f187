/**
 * What one fetch takes in, by whichever way it comes: pulled by this side or pushed by the other. Whoever brings it, it
 * is the manifest that was announced and its bytes in their order; one stream at a time is taken, and what one has
 * brought the next need not.
 */
import type { Manifest } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { openManifest, sumBytes } from '../bundle/manifest-bundle.js';
import { StalePart } from '../tree/part-file.js';
import type { Fetched, FetchRequest } from '../transfer.js';
import { openTree, type TreeWriter } from '../tree/tree-writer.js';

/** Progress is told at most this often. */
const PROGRESS_MS = 500;

/** Somebody else brings the bytes just now. */
export class Busy extends Error {
  override readonly name = 'Busy';
}

/** One fetch as it is filled. */
export interface Intake {
  readonly order: FetchRequest;
  isDescribed(): boolean;
  /**
   * Takes the manifest's bytes; one that was taken before stands. Throws Refused for another one than was announced.
   */
  describe(bytes: Buffer): Promise<void>;
  /** First byte that is still missing, and how many there are; 0 before it is described. */
  offset(): number;
  total(): number;
  /**
   * Takes bytes from `start` on. Throws {@link Busy}, what `chunks` throws, or what is wrong with them or with the
   * disk.
   */
  fill(start: number, chunks: AsyncIterable<Buffer>): Promise<void>;
  /** Whether bytes come in now, and when the last ones came, monotonic ms. */
  isBusy(): boolean;
  activeAt(): number;
  /** Ends the fetch: what fills it from outside found that it cannot go on. */
  fail(error: unknown): void;
  /** Resolves when all is in place and checked; rejects when it failed. */
  readonly whole: Promise<Fetched>;
  /** Lets go of what is open. */
  close(): Promise<void>;
}

interface Opened {
  readonly manifest: Manifest;
  readonly tree: TreeWriter;
  readonly total: number;
}

/** Begins a fetch; it touches no disk before it is described. */
export function createIntake(order: FetchRequest): Intake {
  let opening: Promise<void> | undefined;
  let opened: Opened | undefined;
  let isBusy = false;
  let isClosed = false;
  let activeAt = performance.now();
  let resolve: (fetched: Fetched) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const whole = new Promise<Fetched>((yes, no) => {
    [resolve, fail] = [yes, no];
  });
  // Nobody may be waiting for it any more.
  whole.catch(() => undefined);
  const tell = createTeller(order);

  async function open(bytes: Buffer): Promise<void> {
    const manifest = openManifest(bytes, order.sha256);
    opened = { manifest, tree: await openTree(order.directory, manifest), total: sumBytes(manifest) };
    if (isClosed) await opened.tree.close();
    else await finish(opened);
  }

  async function finish({ manifest, tree, total }: Opened): Promise<void> {
    if (tree.offset() < total) return;
    await tree.finish();
    const { command, files, directories } = manifest;
    resolve({ command, contents: { files, directories }, bytes: total, count: files.length });
  }

  async function take({ tree, total }: Opened, chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) {
      if (isClosed) throw new Refused('it is not wanted any more');
      await tree.write(chunk);
      activeAt = performance.now();
      tell(tree.offset(), total);
    }
  }

  return {
    order,
    isDescribed: () => opened !== undefined,
    describe: (bytes) => {
      opening ??= open(bytes).catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    offset: () => opened?.tree.offset() ?? 0,
    total: () => opened?.total ?? 0,
    fill: async (start, chunks) => {
      if (isBusy || opened === undefined || start !== opened.tree.offset()) throw new Busy('bytes come in another way');
      isBusy = true;
      try {
        await take(opened, chunks);
        await finish(opened);
      } catch (error) {
        // A part of an earlier fetch was not of this file: it goes on from where that file begins.
        if (!(error instanceof StalePart)) throw error;
      } finally {
        isBusy = false;
      }
    },
    isBusy: () => isBusy,
    activeAt: () => activeAt,
    fail,
    whole,
    close: async () => {
      isClosed = true;
      await opened?.tree.close();
    },
  };
}

function createTeller(order: FetchRequest): (bytes: number, total: number) => void {
  let toldAt = Number.NEGATIVE_INFINITY;
  return (bytes, total) => {
    const now = performance.now();
    if (now - toldAt < PROGRESS_MS) return;
    toldAt = now;
    order.onProgress(bytes, total);
  };
}
