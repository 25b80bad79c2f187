/** The record of whose a state directory is: on disk and as text. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRecord, parseRecord, type NodeRecord } from '../../src/core/node-record.js';
import { readRecord, recordPath, writeRecord } from '../../src/identity/record-file.js';
import { temporaryDirectories } from '../temporary-directory.js';

const makeDirectory = temporaryDirectories();
const RECORD: NodeRecord = {
  id: 'alpha',
  base: 'home/tritmesh',
  former: ['vm'],
  fromHost: true,
  machine: { id: 'f'.repeat(32), macs: ['02:00:00:00:00:01'], host: 'vm' },
};

describe('the file', () => {
  it('is read as it was written, is the user’s alone, and leaves nothing beside it', () => {
    const directory = makeDirectory();
    writeRecord(directory, { ...RECORD, id: 'before' });
    writeRecord(directory, RECORD);
    expect(readRecord(directory)).toEqual(RECORD);
    expect(statSync(recordPath(directory)).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'identity'))).toEqual(['node.json']);
  });

  it('is none where no node has run, and where it is damaged: the journal knows too', () => {
    const directory = makeDirectory();
    expect(readRecord(directory)).toBeUndefined();
    mkdirSync(join(directory, 'identity'));
    writeFileSync(recordPath(directory), '{"format": 1, "id"');
    expect(readRecord(directory)).toBeUndefined();
  });

  it('can be read by people', () => {
    const directory = makeDirectory();
    writeRecord(directory, RECORD);
    const lines = readFileSync(recordPath(directory), 'utf8').split('\n');
    expect(lines.slice(0, 4)).toEqual(['{', '  "format": 1,', '  "id": "alpha",', '  "base": "home/tritmesh",']);
  });
});

describe('the text', () => {
  it.each<[string, string, string]>([
    ['no JSON', '{', 'must be JSON'],
    ['no object', '[]', 'must be a JSON object'],
    ['of a later format', '{"format":2}', 'a newer tritmesh wrote it'],
    ['without an id', '{"format":1,"base":"tritmesh"}', 'must have an "id"'],
    ['with a bad id', '{"format":1,"id":"A b","base":"tritmesh"}', 'must have an "id"'],
    ['with a bad base', '{"format":1,"id":"a","base":"a//b"}', 'must have a "base"'],
  ])('that is %s is named', (_what, text, reason) => {
    const read = parseRecord(text);
    expect(!read.ok && read.reason).toContain(reason);
  });

  it('of any kind is a record or a reason', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof parseRecord(text).ok === 'boolean'));
  });

  it('passes through writing and reading', () => {
    expect(parseRecord(formatRecord(RECORD))).toEqual({ ok: true, record: RECORD });
    const { machine: _machine, ...bare } = RECORD;
    expect(parseRecord(formatRecord(bare))).toEqual({ ok: true, record: bare });
  });
});
