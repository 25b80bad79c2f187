/**
 * Accepts what a peer pushes, only for a fetch that is running here and only from that fetch's peer: the announced
 * manifest, then the missing bytes. They are written where a fetch would put them, and none of it counts until the
 * last byte is verified. Anything else is answered as unknown.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describeError } from '../../os/errors.js';
import { MANIFEST_BYTES_MAX } from '../../protocol/limits.js';
import { isSpaceFault, Refused } from '../outcome.js';
import { Busy, type Intake } from './intake.js';
import { Unreachable } from '../peer/peer-connect.js';
import { answerText, type PeerHandler, type PeerRequest } from '../peer/peer-listener.js';
import { readChunks } from '../tree/read-chunks.js';

/** What the push server depends on. */
export interface PushServerDeps {
  /** Running fetches, by share. */
  readonly intakes: ReadonlyMap<string, Intake>;
  /** Bytes that may still be written here without touching the reserve; `undefined` when unknown. */
  readonly room: () => Promise<number | undefined>;
}

/** Creates the handler for `/p/`. */
export function createPushServer(parts: PushServerDeps): PeerHandler {
  return (asked) => void answer(asked, parts);
}

async function answer({ peerKey, request, response }: PeerRequest, parts: PushServerDeps): Promise<void> {
  const [, share = '', part = ''] = /^\/p\/(.+)\/(manifest|bytes)$/.exec(request.url ?? '') ?? [];
  const intake = parts.intakes.get(share);
  const isKnown = request.method === 'PUT' && intake !== undefined && intake.order.peerKey === peerKey;
  if (!isKnown) return refuse(request, response, 404, 'nothing is waited for under this name from this peer');
  try {
    if (part === 'manifest') await handleManifest(intake, request, response, parts);
    else await handleBytes(intake, request, response);
  } catch (error) {
    if (error instanceof Unreachable) return void response.destroy();
    if (error instanceof Busy) return refuse(request, response, 409, String(intake.offset()));
    intake.fail(error);
    refuse(request, response, isSpaceFault(error) ? 507 : 409, describeError(error));
  }
}

async function handleManifest(
  intake: Intake,
  request: IncomingMessage,
  response: ServerResponse,
  parts: PushServerDeps,
): Promise<void> {
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (!(length <= MANIFEST_BYTES_MAX)) return refuse(request, response, 404, 'no manifest is so long');
  const chunks: Buffer[] = [];
  for await (const chunk of readChunks(request)) chunks.push(chunk);
  try {
    await intake.describe(Buffer.concat(chunks));
  } catch (error) {
    if (error instanceof Refused) return refuse(request, response, 404, error.message);
    throw error;
  }
  const lack = await findLack(intake, parts);
  if (lack !== undefined) throw lack;
  answerText(response, 200, String(intake.offset()));
}

async function findLack(intake: Intake, { room }: PushServerDeps): Promise<Error | undefined> {
  const missing = intake.total() - intake.offset();
  const free = await room().catch(() => undefined);
  if (free === undefined || free >= missing) return undefined;
  const text = `no room: ${missing} bytes are missing, ${Math.max(0, free)} are free beyond the reserve`;
  return Object.assign(new Error(text), { code: 'ENOSPC' });
}

async function handleBytes(intake: Intake, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, from = '', total = ''] =
    /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15})$/.exec(request.headers['content-range'] ?? '') ?? [];
  const start = from === '' ? -1 : Number(from);
  const isWanted = intake.isDescribed() && start === intake.offset() && Number(total) === intake.total();
  if (!isWanted) return refuse(request, response, 409, String(intake.offset()));
  await intake.fill(start, readChunks(request, true));
  answerText(response, intake.offset() === intake.total() ? 200 : 409, String(intake.offset()));
}

/** Anything else that arrives on this connection is not read. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  if (response.destroyed) return;
  response.setHeader('connection', 'close');
  answerText(response, status, text);
  response.once('finish', () => request.destroy());
}
