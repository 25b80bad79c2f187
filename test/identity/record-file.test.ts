/** The record of which node a state directory belongs to, on disk and as text. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatNodeRecord, parseNodeRecord, type NodeRecord } from '../../src/core/identity/node-record.js';
import { readRecord, recordPath, writeRecord } from '../../src/identity/record-file.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();
const RECORD: NodeRecord = {
  id: 'alpha',
  base: 'home/tritmesh',
  former: ['vm'],
  fromHost: true,
  machine: { id: 'f'.repeat(32), macs: ['02:00:00:00:00:01'], host: 'vm' },
};

describe('the file', () => {
  it('a record is read back as it was written, is private to the user, and leaves no other file', () => {
    const directory = makeDirectory();
    writeRecord(directory, { ...RECORD, id: 'before' });
    writeRecord(directory, RECORD);
    expect(readRecord(directory)).toEqual(RECORD);
    expect(statSync(recordPath(directory)).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'identity'))).toEqual(['node.json']);
  });

  it('a missing or damaged record reads as none, since the journal knows the id too', () => {
    const directory = makeDirectory();
    expect(readRecord(directory)).toBeUndefined();
    mkdirSync(join(directory, 'identity'));
    writeFileSync(recordPath(directory), '{"format": 1, "id"');
    expect(readRecord(directory)).toBeUndefined();
  });

  it('the file is formatted for people', () => {
    const directory = makeDirectory();
    writeRecord(directory, RECORD);
    const lines = readFileSync(recordPath(directory), 'utf8').split('\n');
    expect(lines.slice(0, 4)).toEqual(['{', '  "format": 1,', '  "id": "alpha",', '  "base": "home/tritmesh",']);
  });
});

describe('the text', () => {
  it.each<[string, string, string]>([
    ['without JSON', '{', 'must be JSON'],
    ['without an object', '[]', 'must be a JSON object'],
    ['of a later format', '{"format":2}', 'a newer tritmesh wrote it'],
    ['without an id', '{"format":1,"base":"tritmesh"}', 'must have an "id"'],
    ['with a bad id', '{"format":1,"id":"A b","base":"tritmesh"}', 'must have an "id"'],
    ['with a bad base', '{"format":1,"id":"a","base":"a//b"}', 'must have a "base"'],
  ])('a record %s is refused with a reason', (_what, text, reason) => {
    const read = parseNodeRecord(text);
    expect(!read.ok && read.reason).toContain(reason);
  });

  it('any text is either a record or a reason', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof parseNodeRecord(text).ok === 'boolean'));
  });

  it('a record survives formatting and parsing', () => {
    expect(parseNodeRecord(formatNodeRecord(RECORD))).toEqual({ ok: true, record: RECORD });
    const { machine: _machine, ...bare } = RECORD;
    expect(parseNodeRecord(formatNodeRecord(bare))).toEqual({ ok: true, record: bare });
  });
});
