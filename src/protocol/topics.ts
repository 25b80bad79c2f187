/**
 * The topic tree: the only place where topics are formatted and parsed. Each topic names its only writer, so the ACL of
 * a broker can enforce that with a pattern. Parsing never throws: a topic that is not ours returns `undefined`.
 */
import { BASE_CHARS_MAX, BASE_LEVELS_MAX, TOPIC_BYTES_MAX } from './limits.js';

/** A node id: lower-case letters, digits and dashes, 1 to 32 of them. */
export const NODE_ID_PATTERN: RegExp = /^[a-z0-9-]{1,32}$/;
/** An item id: the same alphabet as a node id. */
export const ITEM_ID_PATTERN: RegExp = /^[a-z0-9-]{1,32}$/;
const WORD_PATTERN = /^[a-z0-9_-]{1,32}$/;

/** Topics that differ only in their kind, as a union with one type per kind. */
type Family<K extends string, Rest> = { readonly [One in K]: { readonly kind: One } & Rest }[K];

/** A parsed topic; `node` is its writer, except for `set` and `request`, where it is the addressee. */
export type Topic =
  | Family<'availability' | 'trit' | 'state' | 'scum' | 'info' | 'event', { readonly node: string }>
  | Family<'set', { readonly node: string; readonly key: string }>
  | Family<'request' | 'response', { readonly node: string; readonly verb: string }>
  | Family<'offer' | 'ack' | 'lease' | 'status', { readonly owner: string; readonly item: string }>
  | Family<
      'claim' | 'progress' | 'result' | 'log',
      { readonly owner: string; readonly item: string; readonly node: string }
    >
  | { readonly kind: 'mesh' };

/** The kinds of topic, as `Topic['kind']`. */
export type TopicKind = Topic['kind'];

/**
 * What is wrong with a base topic; `undefined` if it is valid: at most {@link BASE_LEVELS_MAX} levels of letters,
 * digits, `_`, `-` and `.`, joined by `/`.
 */
export function findBaseFault(base: string): string | undefined {
  if (base.length === 0 || base.length > BASE_CHARS_MAX) return `must have 1 to ${BASE_CHARS_MAX} characters`;
  const levels = base.split('/');
  if (levels.length > BASE_LEVELS_MAX) return `must have at most ${BASE_LEVELS_MAX} levels`;
  if (!levels.every((level) => /^[A-Za-z0-9_.-]+$/.test(level))) {
    return 'must be levels of letters, digits, "_", "-" and "." joined by "/", with no empty level, "+", "#" or "$"';
  }
  return undefined;
}

/** Formats a topic below `base`. */
export function formatTopic(base: string, topic: Topic): string {
  return `${base}/${formatTail(topic)}`;
}

function formatTail(topic: Topic): string {
  switch (topic.kind) {
    case 'availability':
    case 'trit':
    case 'state':
    case 'scum':
    case 'info':
    case 'event':
      return `node/${topic.node}/${topic.kind}`;
    case 'set':
      return `node/${topic.node}/set/${topic.key}`;
    case 'request':
    case 'response':
      return `node/${topic.node}/${topic.kind}/${topic.verb}`;
    case 'offer':
    case 'ack':
    case 'lease':
    case 'status':
      return `work/${topic.owner}/${topic.item}/${topic.kind}`;
    case 'claim':
    case 'progress':
    case 'result':
    case 'log':
      return `work/${topic.owner}/${topic.item}/${topic.kind}/${topic.node}`;
    case 'mesh':
      return 'mesh/state';
  }
}

/** Parses a topic below `base`; `undefined` for any topic that is not ours. */
export function parseTopic(base: string, text: string): Topic | undefined {
  if (text.length > TOPIC_BYTES_MAX || !text.startsWith(`${base}/`)) return undefined;
  const [root, ...rest] = text.slice(base.length + 1).split('/');
  if (root === 'node') return parseNodeTopic(rest);
  if (root === 'work') return parseWorkTopic(rest);
  return root === 'mesh' && rest.length === 1 && rest[0] === 'state' ? { kind: 'mesh' } : undefined;
}

function parseNodeTopic(levels: readonly string[]): Topic | undefined {
  const [node, kind, word] = levels;
  if (node === undefined || kind === undefined || !NODE_ID_PATTERN.test(node)) return undefined;
  if (levels.length === 2) {
    switch (kind) {
      case 'availability':
      case 'trit':
      case 'state':
      case 'scum':
      case 'info':
      case 'event':
        return { kind, node };
      default:
        return undefined;
    }
  }
  if (levels.length !== 3 || word === undefined || !WORD_PATTERN.test(word)) return undefined;
  if (kind === 'set') return { kind, node, key: word };
  return kind === 'request' || kind === 'response' ? { kind, node, verb: word } : undefined;
}

function parseWorkTopic(levels: readonly string[]): Topic | undefined {
  const [owner, item, kind, node] = levels;
  if (owner === undefined || item === undefined || kind === undefined) return undefined;
  if (!NODE_ID_PATTERN.test(owner) || !ITEM_ID_PATTERN.test(item)) return undefined;
  if (levels.length === 3) {
    return kind === 'offer' || kind === 'ack' || kind === 'lease' || kind === 'status'
      ? { kind, owner, item }
      : undefined;
  }
  if (levels.length !== 4 || node === undefined || !NODE_ID_PATTERN.test(node)) return undefined;
  return kind === 'claim' || kind === 'progress' || kind === 'result' || kind === 'log'
    ? { kind, owner, item, node }
    : undefined;
}

/**
 * The filters that a node subscribes to, with those of {@link workFilters}. They must not overlap: under MQTT 5,
 * Mosquitto delivers a message once per matching filter. They leave out what only people read: `trit`, `event`, `log`,
 * `status` and `mesh/state`.
 */
export function nodeFilters(base: string, node: string): readonly string[] {
  return [
    `${base}/node/+/availability`,
    `${base}/node/+/info`,
    `${base}/node/+/state`,
    `${base}/node/${node}/set/+`,
    `${base}/node/${node}/request/+`,
  ];
}

/**
 * The filters of what nodes tell each other about work. A node acts on its own such messages when it publishes them, so
 * it does not need them back.
 */
export function workFilters(base: string, node: string): readonly string[] {
  return [
    `${base}/node/+/response/fit`,
    `${base}/work/+/+/offer`,
    `${base}/work/+/+/ack`,
    `${base}/work/+/+/lease`,
    `${base}/work/${node}/+/claim/+`,
    `${base}/work/${node}/+/progress/+`,
    `${base}/work/${node}/+/result/+`,
  ];
}

/** The filter for one kind of topic from all writers, for clients that watch the mesh. */
export function kindFilter(base: string, kind: TopicKind): string {
  const tail = formatTail(wildcardTopic(kind));
  return `${base}/${tail}`;
}

function wildcardTopic(kind: TopicKind): Topic {
  switch (kind) {
    case 'set':
      return { kind, node: '+', key: '+' };
    case 'request':
    case 'response':
      return { kind, node: '+', verb: '+' };
    case 'offer':
    case 'ack':
    case 'lease':
    case 'status':
      return { kind, owner: '+', item: '+' };
    case 'claim':
    case 'progress':
    case 'result':
    case 'log':
      return { kind, owner: '+', item: '+', node: '+' };
    case 'mesh':
      return { kind };
    default:
      return { kind, node: '+' };
  }
}
