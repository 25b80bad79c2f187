/**
 * Turns requests into inputs: decodes them and checks who signed them. A request that cannot be read or is not
 * permitted becomes an input too, since its sender waits for an answer.
 */
import type { BusMessage } from '../../bus/bus.js';
import type { MemberTable } from '../../core/mesh/member-table.js';
import type { Identity } from '../../identity/identity.js';
import type { Decoded } from '../../protocol/codec.js';
import { REQUEST_AGE_MS_MAX } from '../../protocol/limits.js';
import { explain } from '../../protocol/reasons.js';
import { decodeRequest, isVerb, peekTransaction, type Request, type Verb } from '../../protocol/requests.js';
import type { NodeInput } from '../inputs.js';
import { verifySignature } from '../mesh/verify-signature.js';

/** What decoding requests needs. */
export interface DecodeRequestDeps {
  readonly self: string;
  readonly base: string;
  readonly identity: Identity;
  readonly members: MemberTable;
  /** Verbs that may come unsigned. */
  readonly unsignedVerbs: readonly string[];
  /** Wall clock, ms: a signed request is accepted within {@link REQUEST_AGE_MS_MAX} of it. */
  wall(): number;
}

/** Decodes the request `verb` that was sent to `node`, which is this one. */
export function decodeRequestMessage(
  node: string,
  verb: string,
  message: BusMessage,
  deps: DecodeRequestDeps,
): NodeInput {
  if (message.retained)
    return { type: 'MessageRefused', topic: message.topic.slice(0, 200), reason: 'a request must not be retained' };
  const transaction = peekTransaction(message.payload);
  if (!isVerb(verb)) {
    // An asker of a newer version reads the code.
    const { code, text } = explain('no-such-request', verb);
    return { type: 'RequestRefused', verb, reason: text, code, transaction };
  }
  const decoded = decodeRequest(deps.base, node, verb, message.payload);
  if (!decoded.ok) return { type: 'RequestRefused', verb, reason: `${decoded.field} ${decoded.reason}`, transaction };
  const signer = findSigner(decoded, deps);
  if (!signer.ok) return { type: 'RequestRefused', verb, reason: `${signer.field} ${signer.reason}`, transaction };
  return { type: 'RequestHeard', request: decoded.value, signedBy: signer.value };
}

/** The node that signed a request; `undefined` for an unsigned one whose verb permits that. */
function findSigner(decoded: Decoded<Request> & { ok: true }, deps: DecodeRequestDeps): Decoded<string | undefined> {
  const { from, ts, verb } = decoded.value;
  if (from === undefined || decoded.proof === undefined) return allowUnsigned(verb, deps);
  const key = from === deps.self ? deps.identity.publicKey : deps.members.get(from)?.info?.key;
  const checked = verifySignature(decoded, key, deps);
  if (!checked.ok) return checked;
  const age = Math.abs(deps.wall() - Date.parse(ts ?? ''));
  if (!(age <= REQUEST_AGE_MS_MAX))
    return { ok: false, field: 'ts', reason: "must be within 5 minutes of this node's clock" };
  return { ok: true, value: from, proof: decoded.proof };
}

function allowUnsigned(verb: Verb, deps: DecodeRequestDeps): Decoded<undefined> {
  if (deps.unsignedVerbs.includes(verb)) return { ok: true, value: undefined, proof: undefined };
  return { ok: false, field: 'sig', reason: `is missing: ${verb} must be signed by a member` };
}
