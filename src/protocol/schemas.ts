/** The schemas of the messages. A schema drops unknown keys: newer versions may add fields. */
import { z } from 'zod';
import { commandSchema, needSchema } from './item.js';
import {
  BLOCKED_SHOWN_MAX,
  COUNTER_MAX,
  CPUS_MAX,
  HISTORY_MAX,
  LEASE_MS_MAX,
  LOG_TEXT_BYTES_MAX,
  PROTOCOL_VERSION,
  REASON_CHARS_MAX,
  RECEIVERS_SHOWN_MAX,
  SCUM_ITEMS_MAX,
} from './limits.js';
import type { Message, MessageKind } from './messages.js';
import { keySchema, sealedSchema, urlsSchema } from './peer-schemas.js';
import { PHASES } from './status.js';
import { ITEM_ID_PATTERN, NODE_ID_PATTERN } from './topics.js';

const counter = z.int().min(0).max(COUNTER_MAX);
const epoch = z.int().min(1).max(COUNTER_MAX);
const ratio = z.number().min(0).max(1_000_000);
const percent = z.number().min(0).max(100);
const bytes = z.number().min(0).max(COUNTER_MAX);
const cpus = z.number().gt(0).max(CPUS_MAX);
const word = z.string().max(64);
const time = z.string().max(40);
const reason = z.string().max(REASON_CHARS_MAX);
/** Any code is accepted: a newer version may send codes that are not known here. */
const code = z.string().max(64);
const exitCode = z.int().min(0).max(255).nullable();
const nodeId = z.string().regex(NODE_ID_PATTERN, 'must match [a-z0-9-]{1,32}');
const itemId = z.string().regex(ITEM_ID_PATTERN, 'must match [a-z0-9-]{1,32}');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');
const trit = z.union([z.literal(-1), z.literal(0), z.literal(1)]);
const stamp = { v: z.literal(PROTOCOL_VERSION), ts: time, boot: counter, seq: counter };

/** The schema of each kind of message. */
export const messageSchemas: { readonly [K in MessageKind]: z.ZodType<Message<K>> } = {
  info: z.object({
    ...stamp,
    key: keySchema,
    host: z.string().max(255),
    os: word,
    arch: word,
    cpus,
    memory_bytes: bytes,
    version: word,
    transports: z.array(word).max(8),
    abilities: z.array(word).max(32),
    labels: z.array(word).max(64),
  }),
  state: z.object({
    ...stamp,
    trit,
    load_ratio: ratio,
    own_ratio: ratio,
    projected_ratio: ratio,
    cpus,
    cpu_percent: percent,
    memory_percent: percent,
    psi_percent: percent.optional(),
    disk_free_bytes: bytes.optional(),
    slots: counter,
    slots_free: counter,
    guests: counter,
    queued: counter,
    deferred: counter,
    draining: z.boolean(),
    accepting: z.boolean(),
    scum: counter,
    rejected: counter,
    mark: counter.optional(),
    copy: reason.optional(),
    ttl_s: z.number().gt(0).max(86_400),
  }),
  scum: z.object({
    ...stamp,
    count: counter,
    items: z
      .array(
        z.object({
          pid: z.int().min(1),
          name: word,
          score: z.number().min(0).max(1_000_000),
          cpu_percent: z
            .number()
            .min(0)
            .max(100 * CPUS_MAX),
          memory_percent: percent,
          age_s: z.number().min(0),
          action: z.enum(['migrate', 'throttle', 'allow', 'none']),
          movable: z.boolean(),
          item: itemId.optional(),
          acts: z.boolean().optional(),
          why: reason.optional(),
          throttled_percent: z
            .number()
            .min(0)
            .max(100 * CPUS_MAX)
            .optional(),
          throttled_by: word.optional(),
        }),
      )
      .max(SCUM_ITEMS_MAX),
    formula: z.enum(['clamped', 'seed']).optional(),
  }),
  event: z.looseObject({ ...stamp, event_type: word, reason: reason.optional() }),
  response: z.object({
    ...stamp,
    status: z.enum(['ok', 'error']),
    error: reason.optional(),
    code: code.optional(),
    data: z.record(z.string(), z.unknown()),
    transaction: z.string().max(128).optional(),
  }),
  offer: z.object({
    ...stamp,
    epoch,
    kind: z.enum(['job', 'process']),
    name: word,
    need: needSchema,
    size_bytes: bytes,
    hops: counter,
    avoid: z.array(nodeId).max(64),
    deferred: z.boolean(),
    reason,
    ttl_ms: z.int().min(1).max(LEASE_MS_MAX),
    expires_at: time,
  }),
  claim: z.object({
    ...stamp,
    epoch,
    renewal: counter,
    projected_ratio: ratio,
    slots_free: counter,
    rank: counter,
    urls: urlsSchema.optional(),
  }),
  ack: z.object({
    ...stamp,
    epoch,
    to: nodeId,
    renewal: counter,
    lease_ms: z.int().min(1).max(LEASE_MS_MAX),
    transport: z.enum(['none', 'https']),
    urls: urlsSchema,
    manifest_sha256: sha256.optional(),
    command: commandSchema.optional(),
    image: z.boolean().optional(),
    direct: z.boolean().optional(),
    seal_key: keySchema.optional(),
  }),
  lease: z.object({
    ...stamp,
    epoch,
    to: nodeId,
    renewal: counter,
    order: z.enum(['hold', 'cancel', 'vacate', 'checkpoint', 'resume', 'continue', 'settled', 'gone']),
    move: counter.optional(),
    push_to: urlsSchema.optional(),
  }),
  progress: z.object({
    ...stamp,
    epoch,
    phase: z.enum(['fetching', 'starting', 'running', 'stopping', 'freezing', 'frozen', 'prepared', 'thawing']),
    renewal: counter,
    move: counter.optional(),
    refused: reason.optional(),
    wants_move: reason.optional(),
    direct: z.boolean().optional(),
    push_to: urlsSchema.optional(),
    bytes: bytes.optional(),
    bytes_total: bytes.optional(),
  }),
  result: z.object({
    ...stamp,
    epoch,
    outcome: z.enum(['exited', 'vacated', 'frozen', 'refused', 'cancelled', 'died']),
    exit_code: exitCode,
    signal: word.nullable(),
    reason,
    code: code.optional(),
    started_at: time.nullable(),
    run_ms: z.number().min(0),
    cpu_s: z.number().min(0),
    outputs_count: counter,
    outputs_bytes: bytes,
    manifest_sha256: sha256.optional(),
    move: counter.optional(),
    image_need: z.array(word).max(32).optional(),
    unreached: reason.optional(),
    sealed: sealedSchema.optional(),
    urls: urlsSchema,
  }),
  log: z.object({
    ...stamp,
    epoch,
    stream: z.enum(['stdout', 'stderr']),
    offset: counter,
    text: z.string().max(LOG_TEXT_BYTES_MAX),
    lossy: z.boolean(),
  }),
  status: z.object({
    ...stamp,
    phase: z.enum(PHASES),
    name: word,
    epoch: counter,
    receiver: nodeId.nullable(),
    reason,
    code: code.optional(),
    attempts: counter,
    hops: counter,
    submitted_at: time,
    exit_code: exitCode,
    signal: word.nullable(),
    run_ms: z.number().min(0).nullable(),
    cpu_s: z.number().min(0).nullable(),
    direct: z.boolean().optional(),
    unreached: z.boolean().optional(),
    blocked: z.array(z.object({ node: nodeId, reason, code: code.optional() })).max(BLOCKED_SHOWN_MAX),
    history: z
      .array(
        z.object({
          ts: time,
          phase: z.enum(PHASES),
          epoch: counter,
          node: nodeId.optional(),
          reason: reason.optional(),
        }),
      )
      .max(HISTORY_MAX),
  }),
  mesh: z.object({
    ...stamp,
    sum: z.int(),
    residue: z.union([z.literal(0), z.literal(1), z.literal(2)]),
    invariant: z.boolean(),
    direction: z.enum(['shed', 'wake', 'rest']),
    online: counter,
    plus: counter,
    ergodic: counter,
    minus: counter,
    receivers: z.array(nodeId).max(RECEIVERS_SHOWN_MAX),
    reporter: nodeId,
  }),
};
