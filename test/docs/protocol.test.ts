/** Holds docs/reference/protocol.md to the protocol: kinds, fields, verbs, phases, events, bounds, and the signature that it shows. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createIdentity } from '../../src/identity/create-identity.js';
import { decodeMessage } from '../../src/protocol/codec.js';
import * as limits from '../../src/protocol/limits.js';
import { decodeRequest, isVerb, VERBS } from '../../src/protocol/requests.js';
import { explain, REASON_CODES, type Reason, type ReasonCode } from '../../src/protocol/reasons.js';
import { messageSchemas } from '../../src/protocol/schemas.js';
import { PHASES } from '../../src/protocol/status.js';
import { formatTopic, parseTopic, type TopicKind } from '../../src/protocol/topics.js';
import { temporaryDirectories } from '../support/temporary-directory.js';
import { findUnnamed, readFences, readPage, readSection } from './pages.js';

const makeDirectory = temporaryDirectories();
const page = readPage('docs/reference/protocol.md');

/** Each kind once, or this does not compile. */
const TOPICS: Readonly<Record<TopicKind, string>> = {
  availability: formatTopic('x', { kind: 'availability', node: '<id>' }),
  trit: formatTopic('x', { kind: 'trit', node: '<id>' }),
  state: formatTopic('x', { kind: 'state', node: '<id>' }),
  scum: formatTopic('x', { kind: 'scum', node: '<id>' }),
  info: formatTopic('x', { kind: 'info', node: '<id>' }),
  event: formatTopic('x', { kind: 'event', node: '<id>' }),
  set: formatTopic('x', { kind: 'set', node: '<id>', key: '<key>' }),
  request: formatTopic('x', { kind: 'request', node: '<id>', verb: '<verb>' }),
  response: formatTopic('x', { kind: 'response', node: '<id>', verb: '<verb>' }),
  offer: formatTopic('x', { kind: 'offer', owner: '<owner>', item: '<item>' }),
  ack: formatTopic('x', { kind: 'ack', owner: '<owner>', item: '<item>' }),
  lease: formatTopic('x', { kind: 'lease', owner: '<owner>', item: '<item>' }),
  status: formatTopic('x', { kind: 'status', owner: '<owner>', item: '<item>' }),
  claim: formatTopic('x', { kind: 'claim', owner: '<owner>', item: '<item>', node: '<node>' }),
  progress: formatTopic('x', { kind: 'progress', owner: '<owner>', item: '<item>', node: '<node>' }),
  result: formatTopic('x', { kind: 'result', owner: '<owner>', item: '<item>', node: '<node>' }),
  log: formatTopic('x', { kind: 'log', owner: '<owner>', item: '<item>', node: '<node>' }),
  mesh: formatTopic('x', { kind: 'mesh' }),
};
const STAMP = ['v', 'ts', 'boot', 'seq'];

describe('the protocol page', () => {
  it('names every kind of topic in its table', () => {
    const topics = Object.values(TOPICS).map((topic) => topic.slice('x/'.length));
    expect(findUnnamed(readSection(page, 'Topics'), topics)).toEqual([]);
  });

  it.each(Object.entries(messageSchemas))('names every field of %s', (kind, schema) => {
    const fields = listFields(schema).filter((field) => !STAMP.includes(field));
    expect(fields).not.toEqual([]);
    expect(findUnnamed(readSection(page, `${kind}: `), fields)).toEqual([]);
  });

  it('names the stamp, every verb and every phase', () => {
    expect(findUnnamed(readSection(page, 'Every message'), [...STAMP, 'sig'])).toEqual([]);
    expect(findUnnamed(readSection(page, 'Requests'), VERBS)).toEqual([]);
    expect(findUnnamed(readSection(page, 'status: '), PHASES)).toEqual([]);
  });

  it('names every event that the source says', () => {
    const types = findEventTypes();
    expect(types).toContain('trit_changed');
    expect(types).toContain('drain_set');
    expect(findUnnamed(readSection(page, 'event: '), types)).toEqual([]);
  });

  it('names every reason code with its sentence, and no other', () => {
    const rows = [...readSection(page, 'Reason codes').matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)];
    const documented = rows.map(([, code = '', sentence = '']) => [code, sentence.replaceAll(/\*\w+\*/g, '…')]);
    expect(REASON_CODES.length).toBeGreaterThan(40);
    expect(documented).toEqual(REASON_CODES.map((code) => [code, explainAnything(code)]));
  });

  it('tells every bound with its value', () => {
    const section = readSection(page, 'Bounds');
    for (const [name, value] of Object.entries(limits)) {
      expect(section).toContain(`| \`${name}\` | ${value.toLocaleString('en-US')} |`);
    }
  });

  it('shows requests that are understood', () => {
    const shown = readFences(readSection(page, 'Requests'), 'sh').join('').trim().split('\n');
    expect(shown.length).toBeGreaterThan(5);
    for (const line of shown) expect(readRequest(line)).toMatchObject({ ok: true });
  });
});

describe('the signature that the protocol page shows', () => {
  const section = readSection(page, 'Signature');
  const [example = ''] = readFences(section, 'text');

  it('is taken by the codec and fits its key', () => {
    const [key = '', topicText = '', text = ''] = example.split('\n');
    const topic = parseTopic('tritmesh', topicText);
    if (topic?.kind !== 'claim') throw new Error('the example is no claim');
    const decoded = decodeMessage('tritmesh', topic, Buffer.from(text));
    if (!decoded.ok || decoded.proof === undefined) throw new Error('the example carries no proof');
    const { verify } = createIdentity(generateKeyPairSync('ed25519').privateKey);
    expect(verify(key, decoded.proof.covered, decoded.proof.signature)).toBe(true);
  });

  it('is verified by the program next to it, and a changed one is not', () => {
    const directory = makeDirectory();
    const [program = ''] = readFences(section, 'js');
    const script = join(directory, 'verify.mjs');
    writeFileSync(script, program);
    const run = (text: string): string => {
      const file = join(directory, 'claim.txt');
      writeFileSync(file, text);
      return execFileSync(process.execPath, [script, file], { encoding: 'utf8' }).trim();
    };
    expect(run(example)).toBe('true');
    expect(run(example.replace('"rank":0', '"rank":1'))).toBe('false');
  });
});

/** The sentence of a code, with … for each value. */
function explainAnything(code: ReasonCode): string {
  const explainWith = explain as (code: ReasonCode, ...values: readonly string[]) => Reason;
  return explainWith(code, '…', '…', '…').text;
}

function listFields(schema: z.ZodType): readonly string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  throw new TypeError('not a schema of an object');
}

/** The types in `event_type: '…'`; the one that is made of a setting's name stands for all settings. */
function findEventTypes(): readonly string[] {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const source = globSync(['src/**/*.ts'], { cwd: root })
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n');
  const [, list = ''] = /SETTABLE[^;]*\[([^\]]*)\]/.exec(source) ?? [];
  const settings = [...list.matchAll(/'([a-z]+)'/g)].map((match) => match[1] ?? '');
  const types = [...source.matchAll(/event_type: (['`])([^'`]+)\1/g)].map((match) => match[2] ?? '');
  return types.flatMap((type) => {
    const tail = /^\$\{input\.key\}(_[a-z]+)$/.exec(type)?.[1];
    return tail === undefined ? [type] : settings.map((setting) => `${setting}${tail}`);
  });
}

function readRequest(line: string): unknown {
  const [, topicText = '', quoted, bare] = /^mosquitto_pub -t (\S+) (?:-m '([^']*)'|-m (\S+)|-n)$/.exec(line) ?? [];
  const topic = parseTopic('tritmesh', topicText);
  if (topic?.kind !== 'request' || !isVerb(topic.verb)) return { ok: false, line };
  return decodeRequest('tritmesh', topic.node, topic.verb, Buffer.from(quoted ?? bare ?? ''));
}
