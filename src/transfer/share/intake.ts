/**
 * What one fetch receives, whether pulled by this side or pushed by the other. Either way it accepts only the
 * manifest that was announced and its bytes in order. Only one stream at a time is accepted, and the next one
 * continues where it stopped.
 */
import type { Manifest } from '../../protocol/manifest.js';
import { Refused } from '../outcome.js';
import { openManifest, sumBytes } from '../bundle/manifest-bundle.js';
import { StalePart } from '../tree/part-file.js';
import type { KnownDigests } from '../tree/known-digests.js';
import type { Fetched, FetchRequest } from '../transfer.js';
import { openTree, type TreeWriter } from '../tree/tree-writer.js';

/** Shortest time between progress reports. */
const PROGRESS_MS = 500;

/** Another stream is delivering the bytes. */
export class Busy extends Error {
  override readonly name = 'Busy';
}

/** One fetch while it is being filled. */
export interface Intake {
  readonly order: FetchRequest;
  isDescribed(): boolean;
  /** Accepts the manifest's bytes; one accepted earlier stands. Throws Refused if it is not the announced one. */
  describe(bytes: Buffer): Promise<void>;
  /** First byte that is still missing, and the total; both 0 before the manifest is known. */
  offset(): number;
  total(): number;
  /** Accepts bytes from `start` on. Throws {@link Busy}, what `chunks` throws, or a fault of bytes or disk. */
  fill(start: number, chunks: AsyncIterable<Buffer>): Promise<void>;
  /** Whether bytes are coming in, and when the last ones came, monotonic ms. */
  isBusy(): boolean;
  activeAt(): number;
  /** Fails the fetch: an outside source found that it cannot continue. */
  fail(error: unknown): void;
  /** Resolves when everything is in place and verified; rejects when the fetch failed. */
  readonly whole: Promise<Fetched>;
  /** Closes open files. */
  close(): Promise<void>;
}

interface Opened {
  readonly manifest: Manifest;
  readonly tree: TreeWriter;
  readonly total: number;
}

/** Starts a fetch; it does not touch the disk before the manifest is known. */
export function createIntake(order: FetchRequest, known?: KnownDigests): Intake {
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
  // A rejection that is no longer awaited must not end the process.
  whole.catch(() => undefined);
  const tell = createTeller(order);

  async function open(bytes: Buffer): Promise<void> {
    const manifest = openManifest(bytes, order.sha256);
    opened = { manifest, tree: await openTree(order.directory, manifest, known), total: sumBytes(manifest) };
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
        // A part left by an earlier fetch did not match this file: the fetch continues from where the file begins.
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
