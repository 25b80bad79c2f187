/** Lines of the local socket: cut from any stream of bytes, bounded, and without ever throwing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLineCutter,
  FRAME_BYTES_MAX,
  readNodeFrame,
  readProgramFrame,
  writeFrame,
} from '../../../src/bus/local/local-frames.js';

describe('the line cutter', () => {
  it('the cutter returns whole lines however the bytes are split, even within a character', () => {
    const frames = [
      { type: 'subscribe', filters: ['tritmesh/#'] },
      { type: 'publish', id: 1, topic: 'tritmesh/node/a/request/ping', payload: 'zwölf €\n\u0000' },
    ] as const;
    const bytes = Buffer.from(frames.map(writeFrame).join(''));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length })), (cuts) => {
        const cutter = createLineCutter();
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const lines = edges.slice(1).flatMap((end, at) => cutter.cut(bytes.subarray(edges[at], end)).lines);
        expect(lines.map(readProgramFrame)).toEqual(frames.map((frame) => ({ ok: true, frame })));
      }),
    );
  });

  it('the cutter accepts a line of the largest size, and fails for good at a larger one without buffering it', () => {
    expect(createLineCutter().cut(Buffer.from(`${'x'.repeat(FRAME_BYTES_MAX)}\n`)).lines[0]).toHaveLength(
      FRAME_BYTES_MAX,
    );
    const cutter = createLineCutter();
    expect(cutter.cut(Buffer.from('x'.repeat(FRAME_BYTES_MAX)))).toEqual({ lines: [] });
    expect(cutter.cut(Buffer.from('x'))).toEqual({ lines: [], fault: `a line has more than ${FRAME_BYTES_MAX} bytes` });
    expect(cutter.cut(Buffer.from('\n{}\n'))).toEqual({ lines: [] });
  });

  it('the cutter fails at bytes that are not text, and returns the lines before them', () => {
    const bytes = Buffer.concat([Buffer.from('{}\n'), Buffer.from([0xff, 0xfe, 0x0a])]);
    expect(createLineCutter().cut(bytes)).toEqual({ lines: ['{}'], fault: 'a line is not UTF-8' });
  });
});

describe('reading a line', () => {
  it('reading a line never throws, and accepts only complete frames of a known kind', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(readProgramFrame(line).ok).toBe(false);
        expect(readNodeFrame(line).ok).toBe(false);
      }),
    );
  });

  it.each([
    ['no filters', { type: 'subscribe' }],
    ['filters that are not text', { type: 'subscribe', filters: [1] }],
    ['no id', { type: 'publish', topic: 't', payload: '' }],
    ['an id below 0', { type: 'publish', id: -1, topic: 't', payload: '' }],
    ['a payload that is not text', { type: 'publish', id: 1, topic: 't', payload: {} }],
    ['an item that is text', { type: 'submit', id: 1, item: 'true' }],
    ['an item without an id', { type: 'submit', item: {} }],
    ['a type that only nodes send', { type: 'granted' }],
    ['null instead of an object', null],
  ])('a frame from a program with %s is refused', (_title, frame) => {
    expect(readProgramFrame(JSON.stringify(frame)).ok).toBe(false);
  });
});
