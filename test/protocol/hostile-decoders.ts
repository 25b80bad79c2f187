/**
 * Every place where bytes or text from outside become values: from the bus, from peers, from files that a crash may
 * have torn. All are called in the same way, and values are checked against their schema where there is one.
 */
import { createHash } from 'node:crypto';
import { parsePasswords, PasswordFileFault } from '../../broker/passwords.js';
import { ConfigError } from '../../src/config/config-error.js';
import { checkConfig } from '../../src/config/check-config.js';
import { createDefaults } from '../../src/config/defaults.js';
import { mergeSettings } from '../../src/config/merge-settings.js';
import { readYaml } from '../../src/config/yaml-source.js';
import { readEntries } from '../../src/journal/journal-text.js';
import { recoverJournal } from '../../src/node/recover-journal.js';
import { decodeBusEvent } from '../../src/observe/bus-event.js';
import { parseProcStat } from '../../src/os/proc-stat.js';
import { decodeMessage, decodeText, parseJson, type Decoded } from '../../src/protocol/codec.js';
import { readProof } from '../../src/protocol/envelope.js';
import { itemSchema, writeItem } from '../../src/protocol/item.js';
import { REASON_CHARS_MAX } from '../../src/protocol/limits.js';
import { manifestSchema } from '../../src/protocol/manifest.js';
import type { MessageKind } from '../../src/protocol/messages.js';
import { decodeRequest, peekTransaction, VERBS } from '../../src/protocol/requests.js';
import { messageSchemas } from '../../src/protocol/schemas.js';
import { findBaseFault, formatTopic, kindFilter, parseTopic, type Topic } from '../../src/protocol/topics.js';
import { parseExitFile } from '../../src/run/directory/exit-file.js';
import { parseNamespaceHead } from '../../src/run/launch/namespace-script.js';
import { parseLegacyHead } from '../../src/run/legacy/legacy-launcher.js';
import { createFrameCutter } from '../../src/run/supervisor/frames.js';
import { parseSlot } from '../../src/run/supervisor/lease-slots.js';
import { parseLines } from '../../src/run/supervisor/lines.js';
import { parseProcessList } from '../../src/run/processes/process-table.js';
import { takePiece } from '../../src/run/output/utf8.js';
import { Refused } from '../../src/transfer/outcome.js';
import { openManifest } from '../../src/transfer/bundle/manifest-bundle.js';

/**
 * One decoder. `read` returns the value, or `undefined` if it was rejected; it throws only what `refuses` names.
 */
export interface Decoder {
  readonly name: string;
  read(bytes: Buffer): unknown;
  readonly refuses?: abstract new (...args: never[]) => Error;
}

const KINDS = Object.keys(messageSchemas) as MessageKind[];

/** All decoders. */
export const DECODERS: readonly Decoder[] = [
  { name: 'the text of a payload', read: (bytes) => unwrap(decodeText(bytes)) },
  { name: 'JSON', read: (bytes) => unwrap(parseJson(bytes.toString())) },
  ...KINDS.map((kind) => ({ name: `the message ${kind}`, read: (bytes: Buffer) => readMessage(kind, bytes) })),
  ...VERBS.map((verb) => ({
    name: `the request ${verb}`,
    read: (bytes: Buffer) => unwrap(decodeRequest('t', 'alpha', verb, bytes)),
  })),
  { name: 'the transaction of a request', read: (bytes) => peekTransaction(bytes) },
  { name: 'the signature of a message', read: (bytes) => readProof('t/mesh/state', bytes.toString()) },
  { name: 'a topic', read: (bytes) => readTopic(bytes.toString()) },
  { name: 'a base topic', read: (bytes) => findBaseFault(bytes.toString()) },
  { name: 'what a viewer hears', read: readAsViewer },
  { name: 'a manifest', read: readManifest, refuses: Refused },
  { name: 'an item', read: (bytes) => readItem(bytes.toString()) },
  { name: 'a journal', read: (bytes) => readEntries([['item/j1', bytes]]) },
  { name: 'the records of a journal', read: readRecords },
  { name: 'the end of a run', read: (bytes) => parseExitFile(bytes.toString()) },
  { name: 'the order of a run', read: (bytes) => parseLegacyHead(bytes.toString()) },
  { name: 'the namespace of a run', read: (bytes) => parseNamespaceHead(bytes.toString()) },
  { name: "a supervisor's log", read: (bytes) => parseLines(bytes.toString()).lines[0] },
  { name: 'frames to a supervisor', read: (bytes) => createFrameCutter().cut(bytes).frames[0] },
  { name: 'the lease of a run', read: (bytes) => parseSlot(bytes.toString()) },
  { name: 'a process', read: (bytes) => parseProcStat(bytes.toString()) },
  { name: 'a list of processes', read: (bytes) => parseProcessList(bytes.toString()) },
  { name: 'the output of a run', read: readOutput },
  { name: 'a configuration', read: readConfig, refuses: ConfigError },
  { name: 'a password file', read: (bytes) => parsePasswords(bytes.toString()), refuses: PasswordFileFault },
];

/** Longest field name in a refusal, which goes into logs and answers. */
const FIELD_CHARS_MAX = 200;

/** Returns the value, or `undefined` for a refusal; checks that a refusal can be shown to a person. */
function unwrap<T>(decoded: Decoded<T>): T | undefined {
  if (decoded.ok) return decoded.value;
  checkSentence(decoded.field, FIELD_CHARS_MAX);
  checkSentence(decoded.reason, REASON_CHARS_MAX);
  return undefined;
}

function checkSentence(text: string, charsMax: number): void {
  if (text === '' || text.length > charsMax) throw new RangeError(`a refusal of ${text.length} characters`);
}

function readMessage(kind: MessageKind, bytes: Buffer): unknown {
  const topic = parseTopic('t', kindFilter('t', kind).replaceAll('+', 'a')) as Topic & { readonly kind: MessageKind };
  const value = unwrap(decodeMessage('t', topic, bytes));
  if (value !== undefined) messageSchemas[kind].parse(value);
  return value;
}

/** A topic that parses must format to the same text. */
function readTopic(text: string): Topic | undefined {
  const topic = parseTopic('t', text);
  if (topic !== undefined && formatTopic('t', topic) !== text) throw new RangeError('another topic than was said');
  return topic;
}

function readAsViewer(bytes: Buffer): unknown {
  return KINDS.map((kind) => {
    const topic = kindFilter('t', kind).replaceAll('+', 'a');
    const heard = decodeBusEvent('t', { topic, payload: bytes, retained: false });
    // As `tritmesh watch --json` does.
    JSON.stringify(heard);
    return heard;
  });
}

function readManifest(bytes: Buffer): unknown {
  const manifest = openManifest(bytes, createHash('sha256').update(bytes).digest('hex'));
  return manifestSchema.parse(manifest);
}

function readItem(text: string): unknown {
  const json = parseJson(text);
  if (!json.ok) return undefined;
  const parsed = itemSchema.safeParse(json.value);
  return parsed.success ? itemSchema.parse(writeItem(parsed.data)) : undefined;
}

/** A node must be able to resume each accepted record. */
function readRecords(bytes: Buffer): unknown {
  const keys = ['item/j1', 'guest/a/j1/1', 'key/a', 'node/boot', 'node/drain', 'node/machine', 'other', ''];
  const { entries } = readEntries(keys.map((key) => [key, bytes] as const));
  const restored = recoverJournal(entries, 'run', 0);
  for (const { spec } of restored.items) itemSchema.parse(writeItem(spec));
  return restored.items;
}

/** Each byte must be in exactly one piece, and each piece within its size limit. */
function readOutput(bytes: Buffer): unknown {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const piece = takePiece(bytes.subarray(at), 64, true);
    if (piece === undefined || piece.bytes < 1) throw new RangeError('a piece that takes nothing');
    if (Buffer.byteLength(piece.text) > 64) throw new RangeError('a piece that is too long');
    pieces.push(piece.text);
    at += piece.bytes;
  }
  return pieces;
}

function readConfig(bytes: Buffer): unknown {
  const settings = readYaml(bytes.toString(), 'config.yaml', { directory: '/', home: '/' });
  const machine = { hostname: 'alpha', cpus: 1, isRoot: false, home: '/' };
  return checkConfig(mergeSettings([settings], createDefaults(machine, {}), () => undefined));
}
