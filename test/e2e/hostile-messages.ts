/**
 * Messages that nobody should send, without end and from one seed: garbage, and what really passed on the bus cut, bent, forged
 * and said again, on every topic that a node reads and beside them. It only makes them.
 */
import { createHash, createPrivateKey } from 'node:crypto';
import { matchesFilter } from '../../src/bus/topic-filter.js';
import { createIdentity } from '../../src/identity/create-identity.js';
import type { Identity } from '../../src/identity/identity.js';
import { sealMessage } from '../../src/protocol/envelope.js';
import { nodeFilters, parseTopic } from '../../src/protocol/topics.js';
import { createRandom, type Random } from '../../src/sim/random.js';
import { createInfo } from '../core/samples.js';
import { HOSTILE_TEXTS } from '../protocol/hostile-texts.js';

/** One of them. */
export interface HostileMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** The nodes that are sure to receive it and sure to refuse it. */
  readonly refusedBy: readonly string[];
}

/** What they are made of. */
export interface HostileParts {
  readonly seed: number;
  readonly base: string;
  /** The nodes that are to bear them. */
  readonly nodes: readonly string[];
  /** What passed on the bus before, at least one message: topics and payloads. */
  readonly captured: readonly { readonly topic: string; readonly text: string }[];
}

/** Largest payload: what the strictest of the brokers takes. */
const PAYLOAD_BYTES_MAX: number = 64 * 1024;
/** Levels that a topic is given too many: a broker ends the connection at a hundred or two in all. */
const LEVELS_MORE_MAX = 80;
/** Topics that may be made retained ones, in all: aedes looks through all of them for each subscription. */
const RETAINED_MAX = 200;

/** Makes them, endlessly. */
export function* makeHostileMessages(parts: HostileParts): Generator<HostileMessage, never, void> {
  const random = createRandom(parts.seed);
  const strangers = createStrangers(parts.seed);
  for (let retained = 0; ;) {
    const message = makeNext(parts, random, strangers, retained < RETAINED_MAX);
    if (message.retain) retained += 1;
    yield message;
  }
}

function makeNext(
  parts: HostileParts,
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

function makeMessage(parts: HostileParts, random: Random, mayRetain: boolean): HostileMessage {
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

/** Said again by somebody, where it was said or somewhere else. A command is left to those who may give it. */
function replay(parts: HostileParts, random: Random): HostileMessage {
  const { topic, text } = random.pick(parts.captured);
  const place = random.chance(0.7) ? topic : makeTopic(parts, random);
  return isCommand(place)
    ? makeMessage(parts, random, false)
    : { topic: place, payload: Buffer.from(text), retain: false, refusedBy: [] };
}

/** A birth that is signed well, of a node that there is not. */
function makeBirth(parts: HostileParts, random: Random, strangers: readonly Identity[]): HostileMessage {
  const topic = `${parts.base}/node/${makeId(random)}/info`;
  const stranger = random.pick(strangers);
  const stamp = { ts: new Date(0).toISOString(), boot: random.between(0, 9), seq: random.between(0, 9) };
  const text = sealMessage(topic, createInfo({ key: stranger.publicKey }), stamp, stranger.sign);
  return { topic, payload: Buffer.from(text), retain: false, refusedBy: [] };
}

/** Keys of the seed's own, so that a run can be repeated. */
function createStrangers(seed: number): readonly Identity[] {
  return Array.from({ length: 16 }, (_, index) => {
    const secret = createHash('sha256').update(`${seed}/${index}`).digest();
    // The 32 bytes of an Ed25519 key behind the fixed head of its PKCS#8 form.
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]);
    return createIdentity(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  });
}

function makeTopic({ base, nodes }: HostileParts, random: Random): string {
  const node = random.pick(nodes);
  const levels = random.pick(nodeFilters(base, node)).split('/');
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

/** Beside the topics that are read: more levels, less, none, other letters, other words. */
function makeWildTopic(parts: HostileParts, random: Random): string {
  const levels = makeTopic(parts, random).split('/');
  // Outside the base a broker may end the connection, and no node listens there.
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

function makePayload(parts: HostileParts, random: Random, topic: string): Payload {
  // A bare word can be right for a request, so those get nothing that might be one.
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
  // A first byte that begins neither JSON nor UTF-8.
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

/** Where a payload that is garbage for sure is refused for sure: not where a bare word will do, or a state must wait. */
function isJudged(topic: string): boolean {
  return /\/(info|offer|ack|lease|(claim|progress|result)\/[^/]+)$/.test(topic);
}

function isCommand(topic: string): boolean {
  return /\/(set|request)\//.test(topic);
}

/** The nodes that read a topic as what it is; a node does not read its own words. */
function listReaders({ base, nodes }: HostileParts, topic: string): readonly string[] {
  const parsed = parseTopic(base, topic);
  if (parsed === undefined) return [];
  const writer = 'node' in parsed ? parsed.node : 'owner' in parsed ? parsed.owner : '';
  return nodes.filter(
    (node) => node !== writer && nodeFilters(base, node).some((filter) => matchesFilter(filter, topic)),
  );
}
