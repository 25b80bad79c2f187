import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkStateFormat,
  formatPath,
  writeStateFormat,
  STATE_FORMAT,
  StateFormatError,
} from '../../src/journal/state-format.js';

describe('the format of a state directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tritmesh-format-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const refusal = (): unknown => {
    try {
      checkStateFormat(directory, '0.9.0');
      return undefined;
    } catch (error) {
      return error;
    }
  };

  it('a directory without a format file is accepted, and so is a missing directory', () => {
    expect(refusal()).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
    checkStateFormat(join(directory, 'not', 'there'), '0.9.0');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('the format is written with the version, readable by its owner only, and kept', () => {
    const inner = join(directory, 'state');
    writeStateFormat(inner, '0.9.0');
    expect(JSON.parse(readFileSync(formatPath(inner), 'utf8'))).toEqual({ format: STATE_FORMAT, version: '0.9.0' });
    expect(statSync(inner).mode & 0o777).toBe(0o700);
    const before = statSync(formatPath(inner));
    writeStateFormat(inner, '0.9.0');
    expect(statSync(formatPath(inner)).ino).toBe(before.ino);
    writeStateFormat(inner, '0.9.1');
    expect(JSON.parse(readFileSync(formatPath(inner), 'utf8'))).toEqual({ format: STATE_FORMAT, version: '0.9.1' });
    expect(readdirSync(inner)).toEqual(['format']);
    checkStateFormat(inner, '0.9.0');
  });

  it('an older format is accepted, also with keys that this version does not know', () => {
    writeFileSync(formatPath(directory), '{"format":1,"version":"0.0.1","more":[1]}');
    expect(refusal()).toBeUndefined();
  });

  it('a newer format is refused with a sentence that names both versions and what to do', () => {
    const newer = STATE_FORMAT + 1;
    writeFileSync(formatPath(directory), `{"format":${newer},"version":"7.1.0"}`);
    const error = refusal();
    expect(error).toBeInstanceOf(StateFormatError);
    expect((error as Error).message).toBe(
      `the state directory ${directory} was written by tritmesh 7.1.0 in format ${newer}, and this is tritmesh 0.9.0, ` +
        `which knows formats up to ${STATE_FORMAT}: start tritmesh 7.1.0 or newer, or use a separate state directory for this one ` +
        '(--state-dir)',
    );
    expect(() => writeStateFormat(directory, '0.9.0')).not.toThrow();
  });

  it.each([
    ['an empty file', ''],
    ['no JSON object', '2'],
    ['half of the JSON', '{"format":2,"ver'],
    ['a format that is not a number', '{"format":"2","version":"1"}'],
    ['a format below 1', '{"format":0,"version":"1"}'],
    ['no version', '{"format":2}'],
    ['a list', '[2]'],
  ])('a file with %s is refused and named', (_what, text) => {
    writeFileSync(formatPath(directory), text);
    const error = refusal();
    expect(error).toBeInstanceOf(StateFormatError);
    expect((error as Error).message).toContain(`${formatPath(directory)} does not contain a format`);
    expect(readFileSync(formatPath(directory), 'utf8')).toBe(text);
  });

  it('control characters in the name of another version are not shown', () => {
    writeFileSync(formatPath(directory), JSON.stringify({ format: 99, version: `\u001b[2J${'x'.repeat(200)}` }));
    const { message } = refusal() as Error;
    expect(message).toContain(`tritmesh ?[2J${'x'.repeat(60)} in format 99`);
  });
});
