/** How an item stands, as its owner answers the request `item`. */
import type { Response } from '../protocol/messages.js';
import { messageSchemas } from '../protocol/schemas.js';
import type { Status } from '../protocol/status.js';
import { AskFailed, type Asker } from './ask.js';

/** What the owner says of an item; `reason` is a sentence for people. */
export type Standing =
  | { readonly known: true; readonly status: Status }
  | { readonly known: false; readonly reason: string };

/** Asks the owner. Rejects with AskFailed. */
export async function askStanding(asker: Asker, item: string): Promise<Standing> {
  return readStanding(item, await asker.ask('item', { item }));
}

/** Reads the answer; one that tells nothing says of the item that it is not known. */
export function readStanding(item: string, { data }: Response): Standing {
  const status = data['known'] === true ? readStatus(data['status']) : undefined;
  if (status !== undefined) return { known: true, status };
  const { reason } = data;
  return { known: false, reason: typeof reason === 'string' ? reason : `item ${item} is not known` };
}

/** A status without the stamp that it has as a message. */
export function readStatus(value: unknown): Status | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const parsed = messageSchemas.status.safeParse({ ...value, v: 1, ts: '', boot: 0, seq: 0 });
  if (!parsed.success) return undefined;
  const { v: _v, ts: _ts, boot: _boot, seq: _seq, ...status } = parsed.data;
  return status;
}

/** Whether a node does not know this request at all: one of an older version. */
export function isTooOld(error: unknown): boolean {
  return error instanceof AskFailed && error.fault === 'refused' && /no such request/.test(error.message);
}
