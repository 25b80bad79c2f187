/**
 * Requests: what people and scripts may ask of a node, by verb. A payload may be empty, a bare value or JSON; the
 * decoder turns all three into one shape. Never throws.
 */
import { z } from 'zod';
import { readProof } from './envelope.js';
import { imageFactsSchema, type ImageFacts } from './image-facts.js';
import { itemSchema, type Item } from './item.js';
import { CALL_URLS_MAX, COUNTER_MAX } from './limits.js';
import { parsePeerUrl } from './peer-address.js';
import { decodeText, describeFault, parseJson, type Decoded } from './codec.js';
import { formatTopic, ITEM_ID_PATTERN, NODE_ID_PATTERN } from './topics.js';

/** What every request may carry. */
export interface RequestCommon {
  /** Echoed in the response, so that the asker finds its own. */
  readonly transaction?: string | undefined;
  /** The member that signed the request. */
  readonly from?: string | undefined;
  /** Wall clock of the asker, ISO 8601: a signed request is taken for a short while only. */
  readonly ts?: string | undefined;
}

/** What can be asked of a node. */
export type Request = RequestCommon &
  (
    | { readonly verb: 'refresh' }
    /** With `twin` one asks who has the same key, and tells of itself: see `core/twin.ts`. */
    | { readonly verb: 'ping'; readonly twin?: TwinAsk | undefined }
    | { readonly verb: 'drain'; readonly value: 'ON' | 'OFF' }
    /** `item` asks how an item stands: for whoever may have missed its status; `fetch` wants its outputs fetched now. */
    | { readonly verb: 'cancel' | 'retry' | 'item' | 'fetch'; readonly item: string }
    /** Somebody wants to know whether `node` (the asker, if none is named) takes connections at `urls`; without any, where this node does. */
    | { readonly verb: 'call'; readonly node?: string | undefined; readonly urls: readonly string[] }
    /** A page of the items that have not ended, by id, those after `after`. */
    | { readonly verb: 'items'; readonly after?: string | undefined }
    | ({ readonly verb: 'migrate'; readonly to?: string | undefined } & MigrateChoice)
    | { readonly verb: 'run'; readonly item: Item }
    /** What nobody needs is removed from the state directory; `ended`: kept ended items, too. */
    | { readonly verb: 'clean'; readonly dry_run: boolean; readonly ended: boolean }
    /** Whoever reads the output of a running item tells its receiver how far it has come, bytes of each stream. */
    | {
        readonly verb: 'read';
        readonly owner: string;
        readonly item: string;
        readonly epoch: number;
        readonly stdout: number;
        readonly stderr: number;
      }
    /** The node is to go by another id as soon as nothing is left that others know by this one; OFF takes it back. */
    | { readonly verb: 'rename'; readonly to: string; readonly value: 'ON' | 'OFF' }
    /** A member asks whether a process of its own could be restored there. */
    | { readonly verb: 'fit'; readonly facts: ImageFacts }
  );

/** What one that looks for its twin tells of itself. */
export interface TwinAsk {
  readonly instance: string;
  readonly host: string;
  readonly fit: 'fits' | 'partly' | 'other';
  readonly boot: number;
}

/** What is to be moved: exactly one of the three is given. */
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

/** The same words stand in the answer. */
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
    .refine((ask) => [ask.item, ask.pid, ask.select].filter((one) => one !== undefined).length === 1, {
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

/** The verbs, for help texts. */
export const VERBS: readonly Verb[] = Object.keys(requestSchemas) as Verb[];
/** Verbs that carry no code and no path: a script may ask them unsigned, unless the configuration says otherwise. */
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

/** Where a bare value goes: `cancel` with the payload `k3f9` means `{"item":"k3f9"}`. */
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

/** Finds the transaction of a request that did not decode, so that even its refusal can be matched. */
export function peekTransaction(payload: Uint8Array): string | undefined {
  const text = decodeText(payload);
  if (!text.ok) return undefined;
  const json = parseJson(text.value);
  if (!json.ok) return undefined;
  const parsed = z.object({ transaction: z.string().max(128) }).safeParse(json.value);
  return parsed.success ? parsed.data.transaction : undefined;
}
