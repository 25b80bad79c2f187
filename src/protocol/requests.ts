/**
 * Requests: what people and scripts may ask of a node, by verb. A payload may be empty, a bare value or JSON; the
 * decoder turns all three into one shape. Never throws.
 */
import { z } from 'zod';
import { readProof } from './envelope.js';
import { imageFactsSchema, type ImageFacts } from './image-facts.js';
import { itemSchema, type Item } from './item.js';
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
    | { readonly verb: 'ping' | 'refresh' }
    | { readonly verb: 'drain'; readonly value: 'ON' | 'OFF' }
    | { readonly verb: 'cancel' | 'retry'; readonly item: string }
    | ({ readonly verb: 'migrate'; readonly to?: string | undefined } & MigrateChoice)
    | { readonly verb: 'run'; readonly item: Item }
    /** A member asks whether a process of its own could be restored there. */
    | { readonly verb: 'fit'; readonly facts: ImageFacts }
  );

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

const requestSchemas: Readonly<Record<Verb, z.ZodType<object>>> = {
  ping: z.object(common),
  refresh: z.object(common),
  drain: z.object({ ...common, value: z.enum(['ON', 'OFF']).default('ON') }),
  cancel: z.object({ ...common, item: itemId }),
  retry: z.object({ ...common, item: itemId }),
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
  fit: z.object({ ...common, facts: imageFactsSchema }),
};

/** The verbs, for help texts. */
export const VERBS: readonly Verb[] = Object.keys(requestSchemas) as Verb[];
/** Verbs that carry no code and no path: a script may ask them unsigned, unless the configuration says otherwise. */
export const UNSIGNED_VERBS: readonly Verb[] = ['ping', 'refresh', 'drain', 'cancel', 'retry', 'migrate'];

/** Where a bare value goes: `cancel` with the payload `k3f9` means `{"item":"k3f9"}`. */
const BARE_FIELD: Partial<Record<Verb, string>> = { cancel: 'item', retry: 'item', migrate: 'item', drain: 'value' };

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
