/** What comes back to a node of its own words: an echo says nothing, what it cannot have said does. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../src/identity/create-identity.js';
import { readEcho } from '../../src/pipelines/own-echo.js';
import { wireCodec } from '../../src/protocol/codec.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import { createState } from '../core/samples.js';

const mine = createIdentity(generateKeyPairSync('ed25519').privateKey);
const stranger = createIdentity(generateKeyPairSync('ed25519').privateKey);
const topic = { kind: 'state', node: 'alpha' } as const;
const TEXT = 't/node/alpha/state';
/** Run 10; the journal knew run 5, and run 7 was seen by looking. */
const said = { boot: 10, lastBoot: 5, knownBoot: 7, seq: () => 30 };

function read(boot: number, seq: number, retained: boolean, by = mine): number | undefined {
  const payload = new TextEncoder().encode(sealMessage(TEXT, createState(), { ts: '', boot, seq }, by.sign));
  const input = readEcho(
    topic,
    { topic: TEXT, payload, retained },
    { base: 't', identity: mine, codec: wireCodec, said },
  );
  return input?.type === 'TwinTraced' ? input.boot : undefined;
}

describe('a state of this node', () => {
  it.each<[string, number, number, boolean, boolean]>([
    ['of this run', 10, 30, false, false],
    ['of this run, kept', 10, 2, true, false],
    ['of this run, with a number that it has not come to', 10, 31, true, true],
    ['of a later run', 11, 1, false, true],
    ['of a later run, kept', 11, 1, true, true],
    ['of a run that the journal knows', 5, 99, true, false],
    ['of a run that the journal knows, delivered once more', 5, 99, false, false],
    ['of a run that was looked into, kept', 7, 1, true, false],
    ['of a run that was looked into, said just now', 7, 1, false, true],
    ['of a run that nobody knew of, kept', 8, 1, true, true],
  ])('%s', (_what, boot, seq, retained, isTrace) => {
    expect(read(boot, seq, retained)).toBe(isTrace ? boot : undefined);
  });

  it('that another key has signed is nobody’s trace', () => {
    expect(read(11, 1, false, stranger)).toBeUndefined();
  });
});
