/**
 * The frames that local programs and their node exchange over the local socket: one JSON object per line. It reads and
 * writes frames and decides nothing about them; a line that is too long or is not a frame yields a reason and never
 * throws.
 */
import { MESSAGE_BYTES_MAX } from '../../protocol/limits.js';

/** A frame from a program to the node. */
export type ProgramFrame =
  | { readonly type: 'subscribe'; readonly filters: readonly string[] }
  /** `id` is repeated in the answer. */
  | { readonly type: 'publish'; readonly id: number; readonly topic: string; readonly payload: string }
  /** An item, as requests hold it, for the node to submit as its own. */
  | { readonly type: 'submit'; readonly id: number; readonly item: object };

/** What a node tells a program first: whose socket this is. */
export interface Hello {
  readonly node: string;
  readonly base: string;
  /** URL of the broker that the node uses, connected or not. */
  readonly broker?: string | undefined;
  /** Which submissions the node takes, see {@link SUBMIT_PROTOCOL}; nodes of former versions take none. */
  readonly submit?: number | undefined;
  /** The node is connected to its broker. */
  readonly online?: boolean | undefined;
}

/**
 * Version of `submit`, and of what a program may rely on after it: the status and the output of the item are shown to
 * those who subscribe to them, whichever node runs it. A program that knows another version sends requests instead.
 */
export const SUBMIT_PROTOCOL = 1;

/** A frame from the node to a program. */
export type NodeFrame =
  /** The first frame. */
  | ({ readonly type: 'hello' } & Hello)
  /** A subscription is in force, and all retained messages that match it have been sent. */
  | { readonly type: 'granted' }
  | { readonly type: 'message'; readonly topic: string; readonly payload: string; readonly retained: boolean }
  | { readonly type: 'taken'; readonly id: number }
  /** The node has the submitted item in its journal. */
  | { readonly type: 'accepted'; readonly id: number }
  | { readonly type: 'refused'; readonly id: number; readonly reason: string }
  /** The last frame, where there is time for one: why the node hangs up. */
  | { readonly type: 'bye'; readonly reason: string };

/** A frame, or what is wrong with the line. The reason is for people. */
export type Framed<T> = { readonly ok: true; readonly frame: T } | { readonly ok: false; readonly reason: string };

/** Longest line, in bytes: a message of the largest size with every character escaped in JSON, plus its topic. */
export const FRAME_BYTES_MAX: number = 6 * MESSAGE_BYTES_MAX + 8 * 1024;

/** Formats a frame as a line, with its line end. */
export function writeFrame(frame: ProgramFrame | NodeFrame): string {
  return `${JSON.stringify(frame)}\n`;
}

/** Reads a line that a program sent. */
export function readProgramFrame(line: string): Framed<ProgramFrame> {
  const fields = readFields(line);
  if (fields === undefined) return { ok: false, reason: 'a line is not a JSON object' };
  const { type, filters, id, topic, payload, item } = fields;
  if (type === 'subscribe' && Array.isArray(filters) && filters.every((one) => typeof one === 'string')) {
    return { ok: true, frame: { type, filters } };
  }
  if (type === 'publish' && isCount(id) && typeof topic === 'string' && typeof payload === 'string') {
    return { ok: true, frame: { type, id, topic, payload } };
  }
  if (type === 'submit' && isCount(id) && isObject(item)) return { ok: true, frame: { type, id, item } };
  return {
    ok: false,
    reason: 'a line is neither a subscription, nor a message with id, topic and payload, nor an item with id',
  };
}

/** Reads a line that a node sent. Readers skip what fails here, so that a newer node may send new kinds of frames. */
export function readNodeFrame(line: string): Framed<NodeFrame> {
  const fields = readFields(line);
  if (fields === undefined) return { ok: false, reason: 'a line is not a JSON object' };
  const { type, id, topic, payload, retained, reason } = fields;
  if (type === 'granted') return { ok: true, frame: { type } };
  if (type === 'hello') return readHello(fields);
  if (type === 'message' && typeof topic === 'string' && typeof payload === 'string') {
    return { ok: true, frame: { type, topic, payload, retained: retained === true } };
  }
  if ((type === 'taken' || type === 'accepted') && isCount(id)) return { ok: true, frame: { type, id } };
  if (type === 'refused' && isCount(id) && typeof reason === 'string') return { ok: true, frame: { type, id, reason } };
  if (type === 'bye' && typeof reason === 'string') return { ok: true, frame: { type, reason } };
  return { ok: false, reason: 'a line is not a known frame' };
}

function readHello({ node, base, broker, submit, online }: Readonly<Record<string, unknown>>): Framed<NodeFrame> {
  if (typeof node !== 'string' || typeof base !== 'string') {
    return { ok: false, reason: 'a hello lacks the node or its base topic' };
  }
  const frame = {
    type: 'hello',
    node,
    base,
    broker: typeof broker === 'string' ? broker : undefined,
    submit: isCount(submit) ? submit : undefined,
    online: online === true,
  } as const;
  return { ok: true, frame };
}

function readFields(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Cuts a byte stream into lines. */
export interface LineCutter {
  /**
   * Returns the lines that a chunk completed. Once a line is too long or not text: the fault, and from then on nothing.
   */
  cut(chunk: Uint8Array): { readonly lines: readonly string[]; readonly fault?: string };
}

/** Creates a cutter that buffers at most {@link FRAME_BYTES_MAX} bytes. */
export function createLineCutter(): LineCutter {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let parts: Uint8Array[] = [];
  let held = 0;
  let isBroken = false;

  function completeLine(end: Uint8Array): string {
    const line = Buffer.concat([...parts, end]);
    parts = [];
    held = 0;
    return decoder.decode(line);
  }

  function cutAll(chunk: Uint8Array, lines: string[]): string | undefined {
    let rest = chunk;
    for (let at = rest.indexOf(NEWLINE); at !== -1; at = rest.indexOf(NEWLINE)) {
      if (held + at > FRAME_BYTES_MAX) break;
      lines.push(completeLine(rest.subarray(0, at)));
      rest = rest.subarray(at + 1);
    }
    if (held + rest.byteLength > FRAME_BYTES_MAX) return `a line has more than ${FRAME_BYTES_MAX} bytes`;
    if (rest.byteLength > 0) parts.push(rest);
    held += rest.byteLength;
    return undefined;
  }

  return {
    cut(chunk) {
      const lines: string[] = [];
      if (isBroken) return { lines };
      let fault: string | undefined;
      try {
        fault = cutAll(chunk, lines);
      } catch {
        fault = 'a line is not UTF-8';
      }
      isBroken = fault !== undefined;
      return fault === undefined ? { lines } : { lines, fault };
    },
  };
}

const NEWLINE = 0x0a;
