/**
 * Small outputs that travel sealed inside the result, seen from the owner: the key in the ack, and what is not kept.
 */
import { describe, expect, it } from 'vitest';
import { ackClaim } from '../../../src/core/owner/ack.js';
import { acked, claim, feed, offered, result, running, withOutputs } from './owner-run.js';
import { instant, ownerRules } from '../../support/samples.js';

describe('outputs inside a result', () => {
  const rules = { ...ownerRules, sealKey: 'K'.repeat(43) };
  const claimed = claim('beta', 0);
  const heard = claimed.type === 'ClaimHeard' ? { ...claimed.claim, from: 'beta' } : undefined;
  if (heard === undefined) throw new Error('it is a claim');

  it('are requested with a key in the ack, except from the owner itself', () => {
    const toOther = ackClaim(offered().state, heard, instant(0), rules).effects.at(-1);
    expect(toOther).toMatchObject({ kind: 'ack', body: { to: 'beta', seal_key: rules.sealKey } });
    const toSelf = ackClaim(offered().state, { ...heard, from: rules.self }, instant(0), rules).effects.at(-1);
    expect(toSelf).toMatchObject({ kind: 'ack', body: { to: rules.self } });
    expect(JSON.stringify(toSelf)).not.toContain('seal_key');
  });

  it('are not requested by an owner without a key', () => {
    expect(JSON.stringify(acked().raw)).not.toContain('seal_key');
  });

  it('are kept neither in the item nor in the journal', () => {
    const back = feed(running(), result({ ...withOutputs, sealed: 'AAAA' }));
    expect(JSON.stringify(back.state)).not.toContain('AAAA');
    const done = feed(back, { type: 'HomePlaced', epoch: 1 });
    expect(done.state.phase).toBe('done');
    expect(JSON.stringify(done.raw)).not.toContain('AAAA');
  });
});
