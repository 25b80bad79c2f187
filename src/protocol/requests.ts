/**
 * Requests: what people, scripts and members may ask of a node, by verb. A payload may be empty, a bare value or JSON;
 * the decoder turns all three into one shape. It never throws.
 */
import { z } from 'zod';
import { readProof } from './envelope.js';
import { imageFactsSchema, type ImageFacts } from './image-facts.js';
import { itemSchema, type Item } from './item.js';
import { CALL_URLS_MAX, COUNTER_MAX } from './limits.js';
import { parsePeerUrl } from './peer-address.js';
import { decodeText, describeFault, parseJson, type Decoded } from './codec.js';
import { formatTopic, ITEM_ID_PATTERN, NODE_ID_PATTERN } from './topics.js';

/** Fields that every request may carry. */
export interface RequestCommon {
  /** Echoed in the response, so that the client can match it. */
  readonly transaction?: string | undefined;
  /** The member that signed the request. */
  readonly from?: string | undefined;
  /** Wall clock of the client, ISO 8601: a signed request is accepted for a short time only. */
  readonly ts?: string | undefined;
}

/** A decoded request. */
export type Request = RequestCommon &
  (
    | { readonly verb: 'refresh' }
    /** With `twin`, a node looks for another one with the same key: see `core/identity/twin.ts`. */
    | { readonly verb: 'ping'; readonly twin?: TwinAsk | undefined }
    | { readonly verb: 'drain'; readonly value: 'ON' | 'OFF' }
    /** `item` returns the status of an item to a client that may have missed it; `fetch` fetches its outputs now. */
    | { readonly verb: 'cancel' | 'retry' | 'item' | 'fetch'; readonly item: string }
    /**
     * Asks whether `node` (by default the sender) accepts connections at `urls`; without `urls`, where this node does.
     */
    | { readonly verb: 'call'; readonly node?: string | undefined; readonly urls: readonly string[] }
    /** A page of the items that have not ended, ordered by id, starting after `after`. */
    | { readonly verb: 'items'; readonly after?: string | undefined }
    | ({ readonly verb: 'migrate'; readonly to?: string | undefined } & MigrateChoice)
    | { readonly verb: 'run'; readonly item: Item }
    /** Removes what is no longer needed from the state directory; with `ended`, also the ended items that are kept. */
    | { readonly verb: 'clean'; readonly dry_run: boolean; readonly ended: boolean }
    /** A reader of the output of a running item reports to its receiver how far it has read, bytes of each stream. */
    | {
        readonly verb: 'read';
        readonly owner: string;
        readonly item: string;
        readonly epoch: number;
        readonly stdout: number;
        readonly stderr: number;
      }
    /** Renames the node as soon as no other node depends on its present id; OFF withdraws that. */
    | { readonly verb: 'rename'; readonly to: string; readonly value: 'ON' | 'OFF' }
    /** A member asks whether this node could restore a process of the member. */
    | { readonly verb: 'fit'; readonly facts: ImageFacts }
  );

/** What a node that looks for its twin reports about itself. */
export interface TwinAsk {
  readonly instance: string;
  readonly host: string;
  readonly fit: 'fits' | 'partly' | 'other';
  readonly boot: number;
}

/** What is to be moved: exactly one of the three is set. */
export interface MigrateChoice {
  readonly item?: string | undefined;
  readonly pid?: number | undefined;
  readonly select?: 'top' | undefined;
}

/** The verbs of requests. */
export type Verb = Request['verb'];

const common = {
  transaction: z.string().max(128).optional(),
  from: z.string().regex(NODE_ID_PATTERN).optional(),
  ts: z.string().max(40).optional(),
};
const itemId = z.string().regex(ITEM_ID_PATTERN, 'must match [a-z0-9-]{1,32}');
const nodeId = z.string().regex(NODE_ID_PATTERN, 'must match [a-z0-9-]{1,32}');

const peerUrl = z
  .string()
  .max(300)
  .refine((url) => parsePeerUrl(url) !== undefined, 'must be https://host:port');

/** Schema of {@link TwinAsk}; the answer has the same shape. */
export const twinAskSchema: z.ZodType<TwinAsk> = z.object({
  instance: z.string().min(1).max(64),
  host: z.string().max(255),
  fit: z.enum(['fits', 'partly', 'other']),
  boot: z.int().min(0).max(COUNTER_MAX),
});

const requestSchemas: Readonly<Record<Verb, z.ZodType<object>>> = {
  ping: z.object({ ...common, twin: twinAskSchema.optional() }),
  refresh: z.object(common),
  drain: z.object({ ...common, value: z.enum(['ON', 'OFF']).default('ON') }),
  cancel: z.object({ ...common, item: itemId }),
  retry: z.object({ ...common, item: itemId }),
  item: z.object({ ...common, item: itemId }),
  fetch: z.object({ ...common, item: itemId }),
  call: z.object({ ...common, node: nodeId.optional(), urls: z.array(peerUrl).max(CALL_URLS_MAX).default([]) }),
  items: z.object({ ...common, after: itemId.optional() }),
  migrate: z
    .object({
      ...common,
      item: itemId.optional(),
      pid: z.int().min(1).optional(),
      select: z.literal('top').optional(),
      to: nodeId.optional(),
    })
    .refine(({ item, pid, select }) => [item, pid, select].filter((one) => one !== undefined).length === 1, {
      message: 'must name exactly one of "item", "pid" and "select":"top"',
    }),
  run: z.object({ ...common, item: itemSchema }),
  clean: z.object({ ...common, dry_run: z.boolean().default(false), ended: z.boolean().default(false) }),
  read: z.object({
    ...common,
    owner: nodeId,
    item: itemId,
    epoch: z.int().min(1).max(COUNTER_MAX),
    stdout: z.int().min(0).max(COUNTER_MAX),
    stderr: z.int().min(0).max(COUNTER_MAX),
  }),
  rename: z.object({ ...common, to: nodeId, value: z.enum(['ON', 'OFF']).default('ON') }),
  fit: z.object({ ...common, facts: imageFactsSchema }),
};

/** All verbs, for help texts. */
export const VERBS: readonly Verb[] = Object.keys(requestSchemas) as Verb[];
/** Verbs that carry neither code nor paths: scripts may send them unsigned, unless the configuration forbids it. */
export const UNSIGNED_VERBS: readonly Verb[] = [
  'ping',
  'refresh',
  'drain',
  'cancel',
  'retry',
  'migrate',
  'item',
  'items',
  'fetch',
];

/** The field that a bare value sets: `cancel` with the payload `k3f9` means `{"item":"k3f9"}`. */
const BARE_FIELD: Partial<Record<Verb, string>> = {
  cancel: 'item',
  retry: 'item',
  migrate: 'item',
  item: 'item',
  fetch: 'item',
  items: 'after',
  drain: 'value',
};

/** Whether a verb is known. */
export function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(requestSchemas, verb);
}

/** Decodes a request of verb `verb` that was sent to `node`. */
export function decodeRequest(base: string, node: string, verb: Verb, payload: Uint8Array): Decoded<Request> {
  const text = decodeText(payload);
  if (!text.ok) return text;
  const fields = readFields(verb, text.value);
  if (!fields.ok) return fields;
  const parsed = requestSchemas[verb].safeParse(fields.value);
  if (!parsed.success) return describeFault(parsed.error);
  const proof = readProof(formatTopic(base, { kind: 'request', node, verb }), text.value);
  return { ok: true, value: { verb, ...parsed.data } as Request, proof };
}

function readFields(verb: Verb, text: string): Decoded<unknown> {
  const trimmed = text.trim();
  if (trimmed === '') return { ok: true, value: {}, proof: undefined };
  if (trimmed.startsWith('{')) return parseJson(trimmed);
  const field = BARE_FIELD[verb];
  if (field === undefined) return { ok: false, field: 'payload', reason: 'must be empty or a JSON object' };
  if (verb === 'migrate' && trimmed === 'top') return { ok: true, value: { select: 'top' }, proof: undefined };
  return { ok: true, value: { [field]: trimmed }, proof: undefined };
}

/** Reads the transaction of a request that did not decode, so that the client can match even the refusal. */
export function peekTransaction(payload: Uint8Array): string | undefined {
  const text = decodeText(payload);
  if (!text.ok) return undefined;
  const json = parseJson(text.value);
  if (!json.ok) return undefined;
  const parsed = z.object({ transaction: z.string().max(128) }).safeParse(json.value);
  return parsed.success ? parsed.data.transaction : undefined;
}
