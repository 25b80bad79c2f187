/**
 * The frames that a node sends to its supervisor: see docs/internals/supervisor.md. A frame is a length, a line end and
 * fields that each end in a NUL. It writes and cuts frames and decides nothing about them.
 */
import type { RunMode } from './lines.js';

/** A request to start a run. */
export interface StartFrame {
  readonly id: number;
  readonly leaseMs: number;
  /** Milliseconds until the wall-clock limit; Infinity for none. */
  readonly limitMs: number;
  readonly mode: RunMode;
  readonly directory: string;
  /** File that becomes the standard input; empty for none. */
  readonly stdin: string;
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A new deadline: `leftMs` from now, which counts only if `doubt` is the number of the last doubt. */
export interface LeaseFrame {
  readonly id: number;
  readonly leftMs: number;
  readonly doubt: number;
}

/** What a node sends. */
export type SupervisorFrame = ({ readonly type: 'start' } & StartFrame) | ({ readonly type: 'lease' } & LeaseFrame);

/** A longer frame ends the conversation. */
export const FRAME_BYTES_LIMIT: number = 4 * 1024 ** 2;

const NUL = '\0';

/** Formats a request to start a run. Throws a RangeError when it is too long, or when a field contains a NUL. */
export function formatStart({ id, leaseMs, limitMs, mode, directory, stdin, argv, environment }: StartFrame): Buffer {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const limit = Number.isFinite(limitMs) ? toCount(limitMs) : '-';
  const fields = ['start', id, toCount(leaseMs), limit, mode, directory, stdin, argv.length, ...argv, ...variables];
  return formatFrame(fields.map(String));
}

/** Formats a new deadline. */
export function formatLease({ id, leftMs, doubt }: LeaseFrame): Buffer {
  return formatFrame(['lease', id, toCount(leftMs), doubt].map(String));
}

function toCount(ms: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(ms)));
}

function formatFrame(fields: readonly string[]): Buffer {
  if (fields.some((field) => field.includes(NUL))) throw new RangeError('an argument or variable contains a NUL');
  const payload = Buffer.from(fields.map((field) => field + NUL).join(''));
  if (payload.length > FRAME_BYTES_LIMIT) throw new RangeError(`its command has ${payload.length} bytes`);
  return Buffer.concat([Buffer.from(`${payload.length}\n`), payload]);
}

/** Cuts a byte stream into frames. */
export interface FrameCutter {
  /** Returns the frames that a chunk completed; once one is malformed, `isBroken`, and nothing from then on. */
  cut(chunk: Buffer): { readonly frames: readonly SupervisorFrame[]; readonly isBroken: boolean };
}

/** Creates a cutter that holds one frame at most. */
export function createFrameCutter(): FrameCutter {
  let held: Buffer = Buffer.alloc(0);
  let isBroken = false;

  function take(): SupervisorFrame | undefined {
    const head = /^(\d{1,7})\n/.exec(held.toString('latin1', 0, 8));
    if (head === null) {
      isBroken = held.length >= 8 || !/^\d{0,7}$/.test(held.toString('latin1'));
      return undefined;
    }
    const from = head[0].length;
    const length = Number(head[1]);
    isBroken = length > FRAME_BYTES_LIMIT;
    if (isBroken || held.length < from + length) return undefined;
    const frame = parseFrame(held.toString('utf8', from, from + length));
    held = held.subarray(from + length);
    isBroken = frame === undefined;
    return frame;
  }

  return {
    cut(chunk) {
      const frames: SupervisorFrame[] = [];
      if (isBroken) return { frames, isBroken };
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      for (let frame = take(); frame !== undefined; frame = take()) frames.push(frame);
      return { frames, isBroken };
    },
  };
}

/** Parses the fields of a frame; `undefined` when they are none of a known frame. */
function parseFrame(payload: string): SupervisorFrame | undefined {
  if (!payload.endsWith(NUL)) return undefined;
  const [type, ...fields] = payload.slice(0, -1).split(NUL);
  return type === 'start' ? parseStart(fields) : type === 'lease' ? parseLease(fields) : undefined;
}

function parseStart(fields: readonly string[]): SupervisorFrame | undefined {
  const [id = '', lease = '', limit = '', mode, directory, stdin, count = '', ...rest] = fields;
  const [idNumber, leaseMs, argc] = [id, lease, count].map(readCount);
  const limitMs = limit === '-' ? Infinity : readCount(limit);
  if (idNumber === undefined || leaseMs === undefined || limitMs === undefined) return undefined;
  if (argc === undefined || argc < 1 || argc > rest.length) return undefined;
  if ((mode !== 'plain' && mode !== 'namespace') || directory === undefined || stdin === undefined) return undefined;
  const variables = rest.slice(argc).map((one): [string, string] => {
    const at = one.indexOf('=');
    return at === -1 ? [one, ''] : [one.slice(0, at), one.slice(at + 1)];
  });
  const argv = rest.slice(0, argc);
  const environment = Object.fromEntries(variables);
  return { type: 'start', id: idNumber, leaseMs, limitMs, mode, directory, stdin, argv, environment };
}

function parseLease([id = '', left = '', number = '']: readonly string[]): SupervisorFrame | undefined {
  const [idNumber, leftMs, doubt] = [id, left, number].map(readCount);
  if (idNumber === undefined || leftMs === undefined || doubt === undefined) return undefined;
  return { type: 'lease', id: idNumber, leftMs, doubt };
}

function readCount(text: string): number | undefined {
  const value = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
