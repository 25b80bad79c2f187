/** The status of an item as its owner reports it in answer to the request `item`. */
import type { Response } from '../../protocol/messages.js';
import type { ReasonCode } from '../../protocol/reasons.js';
import { messageSchemas } from '../../protocol/schemas.js';
import type { Status } from '../../protocol/status.js';
import { RequestFailed, type RequestClient } from '../request/request-client.js';

/** The owner's answer; `reason` is a sentence for people. */
export type ItemStanding =
  | { readonly known: true; readonly status: Status }
  | { readonly known: false; readonly reason: string };

/** Asks the owner. Rejects with RequestFailed. */
export async function requestStanding(requests: RequestClient, item: string): Promise<ItemStanding> {
  return readStanding(item, await requests.send('item', { item }));
}

/** Parses the answer; one without a valid status counts as "not known". */
export function readStanding(item: string, { data }: Response): ItemStanding {
  const status = data['known'] === true ? readStatus(data['status']) : undefined;
  if (status !== undefined) return { known: true, status };
  const { reason } = data;
  return { known: false, reason: typeof reason === 'string' ? reason : `item ${item} is not known` };
}

/** Parses a status that comes without the stamp of a message; `undefined` if it is not valid. */
export function readStatus(value: unknown): Status | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const parsed = messageSchemas.status.safeParse({ ...value, v: 1, ts: '', boot: 0, seq: 0 });
  if (!parsed.success) return undefined;
  const { v: _v, ts: _ts, boot: _boot, seq: _seq, ...status } = parsed.data;
  return status;
}

const UNKNOWN_REQUEST: ReasonCode = 'no-such-request';
/** The words of versions that sent no code for this reason. */
const FORMER_WORDS = 'no such request';

/** Whether the node refused because its version does not know this request. */
export function isTooOld(error: unknown): boolean {
  if (!(error instanceof RequestFailed) || error.fault !== 'refused') return false;
  return error.code === undefined ? error.message.includes(FORMER_WORDS) : error.code === UNKNOWN_REQUEST;
}
