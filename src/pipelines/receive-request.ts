/**
 * Requests become inputs: decoded, and checked for who signed them. One that cannot be read or may not be obeyed becomes an input
 * too, since its asker waits for an answer.
 */
import type { BusMessage } from '../bus/bus.js';
import type { MeshView } from '../core/mesh.js';
import type { Identity } from '../identity/identity.js';
import type { Decoded } from '../protocol/codec.js';
import { REQUEST_AGE_MS_MAX } from '../protocol/limits.js';
import { decodeRequest, isVerb, peekTransaction, type Request, type Verb } from '../protocol/requests.js';
import type { NodeInput } from './inputs.js';
import { checkProof } from './proof.js';

/** What reading requests goes by. */
export interface RequestParts {
  readonly self: string;
  readonly base: string;
  readonly identity: Identity;
  readonly view: MeshView;
  /** Verbs that may come unsigned. */
  readonly unsignedVerbs: readonly string[];
  /** Wall clock, ms: a signed request is taken within {@link REQUEST_AGE_MS_MAX} of it. */
  wall(): number;
}

/** Reads the request `verb` that was sent to `node`, which is this one. */
export function readRequest(node: string, verb: string, message: BusMessage, parts: RequestParts): NodeInput {
  if (message.retained)
    return { type: 'MessageRefused', topic: message.topic.slice(0, 200), reason: 'a request must not be retained' };
  const transaction = peekTransaction(message.payload);
  if (!isVerb(verb)) return { type: 'RequestRefused', verb, reason: `no such request: ${verb}`, transaction };
  const decoded = decodeRequest(parts.base, node, verb, message.payload);
  if (!decoded.ok) return { type: 'RequestRefused', verb, reason: `${decoded.field} ${decoded.reason}`, transaction };
  const signer = findSigner(decoded, parts);
  if (!signer.ok) return { type: 'RequestRefused', verb, reason: `${signer.field} ${signer.reason}`, transaction };
  return { type: 'RequestHeard', request: decoded.value, signedBy: signer.value };
}

/** Who signed a request; `undefined` for an unsigned one of a verb that may be. */
function findSigner(decoded: Decoded<Request> & { ok: true }, parts: RequestParts): Decoded<string | undefined> {
  const { from, ts, verb } = decoded.value;
  if (from === undefined || decoded.proof === undefined) return allowUnsigned(verb, parts);
  const key = from === parts.self ? parts.identity.publicKey : parts.view.get(from)?.info?.key;
  const checked = checkProof(decoded, key, parts);
  if (!checked.ok) return checked;
  const age = Math.abs(parts.wall() - Date.parse(ts ?? ''));
  if (!(age <= REQUEST_AGE_MS_MAX))
    return { ok: false, field: 'ts', reason: 'must be within 5 minutes of the clock here' };
  return { ok: true, value: from, proof: decoded.proof };
}

function allowUnsigned(verb: Verb, parts: RequestParts): Decoded<undefined> {
  if (parts.unsignedVerbs.includes(verb)) return { ok: true, value: undefined, proof: undefined };
  return { ok: false, field: 'sig', reason: `is missing: ${verb} must be signed by a member` };
}
