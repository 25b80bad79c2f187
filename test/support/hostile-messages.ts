/**
 * An endless stream of hostile messages, determined by a seed: garbage, and real messages that are cut, changed, forged
 * and replayed, on every topic that a node reads and on others. It only generates them.
 */
import { createHash, createPrivateKey } from 'node:crypto';
import { matchesFilter } from '../../src/bus/topic-filter.js';
import { createIdentity } from '../../src/identity/create-identity.js';
import type { Identity } from '../../src/identity/identity.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import { nodeFilters, parseTopic, workFilters } from '../../src/protocol/topics.js';
import { createRandom, type Random } from '../../src/sim/plan/random.js';
import { createInfo } from './samples.js';
import { HOSTILE_TEXTS } from '../protocol/hostile-texts.js';

/** One hostile message. */
export interface HostileMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** The nodes that certainly receive it and certainly refuse it. */
  readonly refusedBy: readonly string[];
}

/** What the messages are generated from. */
export interface HostileMessageOptions {
  readonly seed: number;
  readonly base: string;
  /** The nodes under attack. */
  readonly nodes: readonly string[];
  /** Messages that passed on the bus before, at least one. */
  readonly captured: readonly { readonly topic: string; readonly text: string }[];
}

/** Largest payload that all brokers accept. */
const PAYLOAD_BYTES_MAX: number = 64 * 1024;
/** Most additional levels of a topic: brokers close the connection at one or two hundred levels in total. */
const LEVELS_MORE_MAX = 80;
/** Most retained topics in total: aedes scans all of them for each subscription. */
const RETAINED_MAX = 200;

/** Generates messages endlessly. */
export function* makeHostileMessages(parts: HostileMessageOptions): Generator<HostileMessage, never, void> {
  const random = createRandom(parts.seed);
  const strangers = createStrangers(parts.seed);
  for (let retained = 0; ;) {
    const message = makeNext(parts, random, strangers, retained < RETAINED_MAX);
    if (message.retain) retained += 1;
    yield message;
  }
}

function makeNext(
  parts: HostileMessageOptions,
  random: Random,
  strangers: readonly Identity[],
  mayRetain: boolean,
): HostileMessage {
  if (random.chance(0.01)) return makeBirth(parts, random, strangers);
  if (random.chance(0.1)) return replay(parts, random);
  return makeMessage(parts, random, mayRetain);
}

/** A payload, and whether every topic with a schema must refuse it. */
interface Payload {
  readonly bytes: Buffer;
  readonly isGarbage: boolean;
}

function makeMessage(parts: HostileMessageOptions, random: Random, mayRetain: boolean): HostileMessage {
  const topic = random.chance(0.7) ? makeTopic(parts, random) : makeWildTopic(parts, random);
  const { bytes, isGarbage } = makePayload(parts, random, topic);
  const retain = random.chance(0.02) && mayRetain;
  return {
    topic,
    payload: bytes.subarray(0, PAYLOAD_BYTES_MAX),
    retain,
    refusedBy: isGarbage && isJudged(topic) ? listReaders(parts, topic) : [],
  };
}

/** Replays a message, on its own topic or another one. Never a command: it might be obeyed. */
function replay(parts: HostileMessageOptions, random: Random): HostileMessage {
  const { topic, text } = random.pick(parts.captured);
  const place = random.chance(0.7) ? topic : makeTopic(parts, random);
  return isCommand(place)
    ? makeMessage(parts, random, false)
    : { topic: place, payload: Buffer.from(text), retain: false, refusedBy: [] };
}

/** A correctly signed birth of a node that does not exist. */
function makeBirth(parts: HostileMessageOptions, random: Random, strangers: readonly Identity[]): HostileMessage {
  const topic = `${parts.base}/node/${makeId(random)}/info`;
  const stranger = random.pick(strangers);
  const stamp = { ts: new Date(0).toISOString(), boot: random.between(0, 9), seq: random.between(0, 9) };
  const text = sealMessage(topic, createInfo({ key: stranger.publicKey }), stamp, stranger.sign);
  return { topic, payload: Buffer.from(text), retain: false, refusedBy: [] };
}

/** Keys derived from the seed, so that a run can be repeated. */
function createStrangers(seed: number): readonly Identity[] {
  return Array.from({ length: 16 }, (_, index) => {
    const secret = createHash('sha256').update(`${seed}/${index}`).digest();
    // The 32 bytes of an Ed25519 key after the fixed header of its PKCS#8 form.
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]);
    return createIdentity(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  });
}

function makeTopic({ base, nodes }: HostileMessageOptions, random: Random): string {
  const node = random.pick(nodes);
  const levels = random.pick(listFilters(base, node)).split('/');
  return levels.map((level, index) => (level === '+' ? fillLevel(levels, index, nodes, random) : level)).join('/');
}

function fillLevel(levels: readonly string[], index: number, nodes: readonly string[], random: Random): string {
  switch (levels[index - 1]) {
    case 'set':
      return random.pick(['drain', 'accept', 'nonsense', 'constructor']);
    case 'request':
      return random.pick(['ping', 'refresh', 'cancel', 'retry', 'migrate', 'run', 'nonsense', '__proto__']);
    default:
      return random.chance(0.3) ? random.pick(nodes) : makeId(random);
  }
}

/** A topic that is not read: with more levels, fewer, empty ones, other characters, other words. */
function makeWildTopic(parts: HostileMessageOptions, random: Random): string {
  const levels = makeTopic(parts, random).split('/');
  // Outside the base a broker may close the connection, and no node listens there.
  const at = random.between(1, levels.length - 1);
  const word = random.pick(['', ' ', 'UPPER', 'ünï', '💥', '__proto__', 'x'.repeat(40), '-', '.', '..', '%2f', '$SYS']);
  switch (random.between(0, 3)) {
    case 0:
      return levels.with(at, word).join('/');
    case 1:
      return levels.toSpliced(at, 0, word).join('/');
    case 2:
      return levels.toSpliced(at, 1).join('/');
    default:
      return [...levels, ...Array.from({ length: random.between(1, LEVELS_MORE_MAX) }, () => word)]
        .join('/')
        .slice(0, 2000);
  }
}

function makeId(random: Random): string {
  return Array.from({ length: random.between(1, 32) }, () => random.pick(ID_LETTERS)).join('');
}

function makePayload(parts: HostileMessageOptions, random: Random, topic: string): Payload {
  // A bare word may be a valid request, so commands get garbage only.
  if (isCommand(topic) || random.chance(0.4)) return makeGarbage(random);
  const { text } = random.pick(parts.captured);
  switch (random.between(0, 6)) {
    case 0:
      return loose(text.slice(0, random.between(0, text.length)));
    case 1:
      return { bytes: flipBytes(Buffer.from(text), random), isGarbage: false };
    case 2:
      return loose(text.replaceAll(/-?\d+(\.\d+)?/g, (number) => (random.chance(0.5) ? number : makeNumber(random))));
    case 3:
      return loose(text.replace('{', `{${random.pick(EXTRA_MEMBERS)},`));
    case 4:
      return loose(text.replace(/"sig":"[^"]*"/, `"sig":"${makeSignature(random)}"`));
    case 5:
      return loose(text.replaceAll(/"[a-z-]+"/g, (word) => (random.chance(0.8) ? word : random.pick(VALUES))));
    default:
      return loose(`${text}${random.pick(['', '\0', ' ', '}', text])}`);
  }
}

function loose(text: string): Payload {
  return { bytes: Buffer.from(text), isGarbage: false };
}

function makeGarbage(random: Random): Payload {
  const size = random.chance(0.01) ? random.between(0, PAYLOAD_BYTES_MAX) : random.between(1, 120);
  // The first byte starts neither JSON nor UTF-8.
  if (random.chance(0.5)) {
    return { bytes: Buffer.from(Array.from({ length: size }, () => random.between(0x80, 0xbf))), isGarbage: true };
  }
  return { bytes: Buffer.from(random.pick(['', ...HOSTILE_TEXTS])), isGarbage: true };
}

function flipBytes(bytes: Buffer, random: Random): Buffer {
  for (let flips = random.between(1, 8); flips > 0 && bytes.length > 0; flips -= 1) {
    bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
  }
  return bytes;
}

function makeNumber(random: Random): string {
  return random.pick(['1e999', '-1e999', '9007199254740993', '-0', '1e-400', '0.1', '-1', '9'.repeat(400), 'NaN']);
}

function makeSignature(random: Random): string {
  const length = random.pick([86, 86, 86, 85, 87, 0]);
  return Array.from({ length }, () => random.pick(SIGNATURE_LETTERS)).join('');
}

const ID_LETTERS: readonly string[] = 'abcxyz019-'.split('');
const SIGNATURE_LETTERS: readonly string[] = 'ABCabc012_-'.split('');

const EXTRA_MEMBERS: readonly string[] = [
  '"epoch":2',
  '"v":1,"v":1',
  '"__proto__":{"polluted":true}',
  '"constructor":{"prototype":{"polluted":true}}',
  '"sig":"x"',
  '"\\ud800":"\\udfff"',
];

const VALUES: readonly string[] = ['null', 'true', '[]', '{}', '1', '""', '"\\u0000"', '"\\ud800"', '[[[[[[]]]]]]'];

/** Whether garbage on this topic is certainly refused: not where a bare word is valid, or a state may have to wait. */
function isJudged(topic: string): boolean {
  return /\/(info|offer|ack|lease|(claim|progress|result)\/[^/]+)$/.test(topic);
}

function isCommand(topic: string): boolean {
  return /\/(set|request)\//.test(topic);
}

/** The nodes that read a topic. A node does not read its own messages. */
function listReaders({ base, nodes }: HostileMessageOptions, topic: string): readonly string[] {
  const parsed = parseTopic(base, topic);
  if (parsed === undefined) return [];
  const writer = 'node' in parsed ? parsed.node : 'owner' in parsed ? parsed.owner : '';
  return nodes.filter(
    (node) => node !== writer && listFilters(base, node).some((filter) => matchesFilter(filter, topic)),
  );
}

/** All that a node subscribes to. */
function listFilters(base: string, node: string): readonly string[] {
  return [...nodeFilters(base, node), ...workFilters(base, node)];
}
