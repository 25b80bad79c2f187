import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LOG_BYTES_PER_S_MAX, LOG_TEXT_BYTES_MAX } from '../../../src/protocol/limits.js';
import { createOutputTail, type OutputTail, type Output } from '../../../src/run/output/output-tail.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tritmesh-tail-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const write = (text: string | Uint8Array): void => appendFileSync(join(directory, 'stdout'), text);
const size = (outputs: readonly Output[]): number =>
  outputs.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

describe('the tail', () => {
  it('gives nothing when there is nothing', () => {
    expect(createOutputTail(directory).read(0, true)).toEqual([]);
  });

  it('gives each byte once, with its place', () => {
    const tail = createOutputTail(directory);
    write('one\n');
    expect(tail.read(0, false)).toEqual([{ stream: 'stdout', offset: 0, text: 'one\n', lossy: false }]);
    expect(tail.read(10, false)).toEqual([]);
    write('two\n');
    writeFileSync(join(directory, 'stderr'), 'oh');
    expect(tail.read(20, false)).toMatchObject([
      { stream: 'stdout', offset: 4, text: 'two\n' },
      { stream: 'stderr', offset: 0, text: 'oh' },
    ]);
  });

  it('never cuts a character between two looks', () => {
    const tail = createOutputTail(directory);
    const bytes = Buffer.from('a😀b');
    write(bytes.subarray(0, 3));
    expect(tail.read(0, false)).toMatchObject([{ offset: 0, text: 'a' }]);
    write(bytes.subarray(3));
    expect(tail.read(1, true)).toMatchObject([{ offset: 1, text: '😀b', lossy: false }]);
  });

  it('skips what is over the rate, oldest first, and keeps the true place', () => {
    const tail = createOutputTail(directory);
    const begun = readBeginning(tail);
    const line = 'é'.repeat(49) + '\n';
    const text = 'x'.repeat(begun) + line.repeat(3000);
    write(line.repeat(3000));
    const outputs = tail.read(1_000_000, false);
    expect(size(outputs)).toBeLessThanOrEqual(LOG_BYTES_PER_S_MAX - LOG_TEXT_BYTES_MAX);
    expect(outputs.every((output) => Buffer.byteLength(output.text) <= LOG_TEXT_BYTES_MAX && !output.lossy)).toBe(true);
    const from = outputs[0]?.offset ?? 0;
    expect(from).toBeGreaterThan(begun);
    expect(outputs.map((output) => output.text).join('')).toBe(Buffer.from(text).subarray(from).toString());
  });

  it('keeps a part of each second for the last look, so that the last line is seen', () => {
    const tail = createOutputTail(directory);
    write('x'.repeat(200_000));
    const first = tail.read(0, false);
    write('y'.repeat(200_000));
    expect(tail.read(100, false)).toEqual([]);
    write('the end\n');
    const last = tail.read(200, true);
    expect(last.at(-1)?.text.endsWith('y\nthe end\n') || last.at(-1)?.text.endsWith('ythe end\n')).toBe(true);
    expect(size(first) + size(last)).toBeLessThanOrEqual(LOG_BYTES_PER_S_MAX);
    expect(last.at(-1)).toMatchObject({ offset: 400_008 - size(last) });
  });

  it('reads on in the next second', () => {
    const tail = createOutputTail(directory);
    const begun = readBeginning(tail);
    write('x'.repeat(200_000));
    tail.read(1_000_000, false);
    write('next');
    expect(tail.read(1_001_000, false)).toMatchObject([{ offset: begun + 200_000, text: 'next' }]);
  });

  it('skips nothing of the beginning, however far ahead the run is: who stops reading early is noticed by it', () => {
    const tail = createOutputTail(directory);
    write('x'.repeat(1_000_000));
    let reached = 0;
    for (let second = 0; reached < 256 * 1024; second += 1) {
      for (const { offset, text } of tail.read(second * 1000, false)) {
        expect(offset === reached).toBe(true);
        reached += text.length;
      }
    }
    const [next] = tail.read(100_000, false);
    expect(next?.offset).toBeGreaterThan(reached);
  });

  /** Writes and reads the part of which nothing is skipped; gives its bytes. */
  function readBeginning(tail: OutputTail): number {
    const bytes = 256 * 1024;
    write('x'.repeat(bytes));
    let read = 0;
    for (let second = 0; read < bytes; second += 1) read += size(tail.read(second * 1000, false));
    return bytes;
  }
});
