/** Reasons: each code has one sentence, and a reader of another version misses only the code. */
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/protocol/reasons.js';
import { messageSchemas } from '../../src/protocol/schemas.js';
import { toStatus } from '../../src/core/owner/item-status.js';
import { feed, submit } from '../core/owner/owner-run.js';

describe('a reason', () => {
  it('carries its code and the sentence with its values', () => {
    expect(explain('slots-taken', 0, 2, 1)).toEqual({
      code: 'slots-taken',
      text: 'its slots are taken: 0 of 2 free, 1 needed',
    });
  });
});

describe('a status', () => {
  const waiting = feed(submit(), {
    type: 'ItemPassedOver',
    reason: explain('no-receiver').text,
    code: 'no-receiver',
    blocked: [{ node: 'beta', reason: explain('draining').text, code: 'draining' }],
  }).state;
  const stamp = { v: 1, ts: '2025-01-01T00:00:00.000Z', boot: 1, seq: 1 };

  it('carries the codes why the item waits and why each member does not take it', () => {
    expect(toStatus(waiting)).toMatchObject({ code: 'no-receiver', blocked: [{ node: 'beta', code: 'draining' }] });
  });

  it('carries no code once the item no longer waits', () => {
    const offered = feed({ ...submit(), state: waiting }, { type: 'OfferChosen', reason: 'beta is in sight' }).state;
    expect(offered.phase).toBe('offered');
    expect(toStatus(offered)).not.toHaveProperty('code');
  });

  it('is accepted with unknown codes and without codes', () => {
    const { code: _code, ...bare } = toStatus(waiting);
    const newer = {
      ...stamp,
      ...bare,
      code: 'asleep-on-mars',
      blocked: [{ node: 'beta', reason: 'zzz', code: 'asleep' }],
    };
    const older = { ...stamp, ...bare, blocked: [{ node: 'beta', reason: 'zzz' }] };
    expect(messageSchemas.status.safeParse(newer).success).toBe(true);
    expect(messageSchemas.status.safeParse(older).success).toBe(true);
  });
});
