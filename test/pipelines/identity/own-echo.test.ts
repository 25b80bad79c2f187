/** Messages under a node’s own name: a real echo means nothing, one that it cannot have published is a trace. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createIdentity } from '../../../src/identity/create-identity.js';
import { readEcho } from '../../../src/pipelines/identity/own-echo.js';
import { wireCodec } from '../../../src/protocol/codec.js';
import { sealMessage } from '../../../src/protocol/envelope.js';
import { createState } from '../../support/samples.js';

const mine = createIdentity(generateKeyPairSync('ed25519').privateKey);
const stranger = createIdentity(generateKeyPairSync('ed25519').privateKey);
const topic = { kind: 'state', node: 'alpha' } as const;
const TEXT = 't/node/alpha/state';
/** Boot 10; the journal knew boot 5, and boot 7 was found on the broker. */
const ownPublishing = { boot: 10, lastBoot: 5, knownBoot: 7, seq: () => 30 };

function read(boot: number, seq: number, retained: boolean, by = mine): number | undefined {
  const payload = new TextEncoder().encode(sealMessage(TEXT, createState(), { ts: '', boot, seq }, by.sign));
  const input = readEcho(
    topic,
    { topic: TEXT, payload, retained },
    { base: 't', identity: mine, codec: wireCodec, ownPublishing },
  );
  return input?.type === 'TwinTraced' ? input.boot : undefined;
}

describe('a state of this node', () => {
  it.each<[string, number, number, boolean, boolean]>([
    ['of this boot', 10, 30, false, false],
    ['of this boot, retained', 10, 2, true, false],
    ['of this boot, with a sequence number that it has not reached', 10, 31, true, true],
    ['of a later boot', 11, 1, false, true],
    ['of a later boot, retained', 11, 1, true, true],
    ['of a boot that the journal knows', 5, 99, true, false],
    ['of a boot that the journal knows, delivered again', 5, 99, false, false],
    ['of a boot that was found before the start, retained', 7, 1, true, false],
    ['of a boot that was found before the start, live', 7, 1, false, true],
    ['of a boot that was not known, retained', 8, 1, true, true],
  ])('%s', (_what, boot, seq, retained, isTrace) => {
    expect(read(boot, seq, retained)).toBe(isTrace ? boot : undefined);
  });

  it('that is signed with another key is no trace', () => {
    expect(read(11, 1, false, stranger)).toBeUndefined();
  });
});
