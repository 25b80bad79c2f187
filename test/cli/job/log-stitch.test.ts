/** Stitching of output: whatever is lost, repeated or cut, each byte of the last epoch is returned exactly once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  joinPiece,
  LOG_START,
  stitchEnd,
  stitchPiece,
  type StreamPiece,
  type LogPosition,
} from '../../../src/cli/job/log-stitch.js';

/** The rest that is written from the file that came home. */
function stitchFile(position: LogPosition, epoch: number, file: Uint8Array): { bytes: Uint8Array; restarted: boolean } {
  const { position: started, restarted } = stitchEnd(position, epoch);
  return { bytes: file.subarray(started.written), restarted };
}

describe('the stitched output of a job', () => {
  it('has each byte of the file exactly once, whatever happens to the pieces', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), arbitraryFates(), (text, fates) => {
        const live = play(cut(text, 1, fates));
        const end = stitchFile(live.position, 1, encode(text));
        expect(Buffer.concat([live.bytes, end.bytes]).toString('utf8')).toBe(text);
        expect(end.restarted).toBe(false);
      }),
    );
  });

  it('is a prefix of the text while the job runs, and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), arbitraryFates(), (text, fates) => {
        const live = play(cut(text, 1, fates));
        expect(encode(text).subarray(0, live.bytes.byteLength)).toEqual(live.bytes);
      }),
    );
  });

  it('starts over with each epoch, and reports it if the one before had output', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), arbitraryFates(), (first, second, fates) => {
        const before = stitchPiece(LOG_START, { epoch: 1, offset: 0, text: first, lossy: false });
        const pieces = cut(second, 2, fates);
        const live = play(pieces, before.position);
        const end = stitchFile(live.position, 2, encode(second));
        expect(Buffer.concat([live.bytes, end.bytes]).toString('utf8')).toBe(second);
        expect(live.restarts + Number(end.restarted)).toBe(1);
      }),
    );
  });

  it('ignores a late piece of an older epoch', () => {
    const started = stitchPiece(LOG_START, { epoch: 3, offset: 0, text: 'new', lossy: false });
    const late = stitchPiece(started.position, { epoch: 2, offset: 3, text: 'old', lossy: false });
    expect(late).toEqual({ position: started.position, bytes: new Uint8Array(0), restarted: false });
  });

  it('stops at a lossy piece and continues from the file', () => {
    const a = stitchPiece(LOG_START, { epoch: 1, offset: 0, text: 'a', lossy: false });
    const b = stitchPiece(a.position, { epoch: 1, offset: 1, text: '\uFFFD', lossy: true });
    const c = stitchPiece(b.position, { epoch: 1, offset: 2, text: 'c', lossy: false });
    expect([b.bytes.byteLength, c.bytes.byteLength]).toEqual([0, 0]);
    expect([...stitchFile(c.position, 1, Uint8Array.of(97, 0xff, 99)).bytes]).toEqual([0xff, 99]);
  });

  it('has nothing more when no file came home', () => {
    const live = stitchPiece(LOG_START, { epoch: 1, offset: 0, text: 'some', lossy: false });
    expect(stitchFile(live.position, 1, new Uint8Array(0)).bytes.byteLength).toBe(0);
  });
});

describe('the output for a reader that joined late', () => {
  it('has every byte that arrived, in order, and counts the missed ones', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), arbitraryFates(), (text, fates) => {
        const pieces = cut(text, 1, fates).filter((piece) => !piece.lossy);
        let position = LOG_START;
        let shown = 0;
        let missed = 0;
        for (const piece of pieces) {
          const joined = joinPiece(position, piece);
          position = joined.position;
          shown += joined.bytes.byteLength;
          missed += joined.missed;
        }
        const last = pieces.at(-1);
        const end = last === undefined ? 0 : last.offset + encode(last.text).byteLength;
        const distinct = new Map(pieces.map((piece) => [piece.offset, encode(piece.text).byteLength]));
        expect(shown + missed).toBe(end);
        expect(shown).toBe([...distinct.values()].reduce((sum, bytes) => sum + bytes, 0));
      }),
    );
  });

  it('reports a restart, and has nothing of the epoch before', () => {
    const first = joinPiece(LOG_START, { epoch: 1, offset: 5, text: 'abc', lossy: false });
    const second = joinPiece(first.position, { epoch: 2, offset: 0, text: 'x', lossy: false });
    const late = joinPiece(second.position, { epoch: 1, offset: 8, text: 'def', lossy: false });
    expect([first.missed, first.restarted]).toEqual([5, false]);
    expect([second.missed, second.restarted]).toEqual([0, true]);
    expect(late.bytes.byteLength).toBe(0);
  });
});

type Fate = 'comes' | 'lost' | 'twice' | 'lossy';

interface CutPiece {
  readonly length: number;
  readonly fate: Fate;
}

function arbitraryFates(): fc.Arbitrary<CutPiece[]> {
  return fc.array(
    fc.record({
      length: fc.integer({ min: 1, max: 6 }),
      fate: fc.constantFrom<Fate[]>('comes', 'comes', 'comes', 'lost', 'twice', 'lossy'),
    }),
    { maxLength: 20 },
  );
}

/** Cuts a text at code points, as a runner does; offsets are in bytes. */
function cut(text: string, epoch: number, fates: readonly CutPiece[]): StreamPiece[] {
  const points = Array.from(text);
  const pieces: StreamPiece[] = [];
  let offset = 0;
  for (const { length, fate } of fates) {
    const part = points.splice(0, length).join('');
    const piece = { epoch, offset, text: part, lossy: fate === 'lossy' };
    offset += encode(part).byteLength;
    if (fate !== 'lost') pieces.push(piece);
    if (fate === 'twice') pieces.push(piece);
  }
  return pieces;
}

function play(
  pieces: readonly StreamPiece[],
  start = LOG_START,
): { position: typeof LOG_START; bytes: Uint8Array; restarts: number } {
  let position = start;
  let restarts = 0;
  const bytes: Uint8Array[] = [];
  for (const piece of pieces) {
    const stitched = stitchPiece(position, piece);
    position = stitched.position;
    bytes.push(stitched.bytes);
    if (stitched.restarted) restarts += 1;
  }
  return { position, bytes: Uint8Array.from(Buffer.concat(bytes)), restarts };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
