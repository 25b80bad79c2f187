/** Owed messages: a receiver repeats them at once when its owner can hear it again. */
import { describe, expect, it } from 'vitest';
import { ended, fetching, feed, lease, pass, running } from './receiver-run.js';

describe('an owner that returned', () => {
  it('gets the result at once, and again after the shortest pause', () => {
    const late = { ...ended(), ms: 50_000 };
    const told = feed(late, { type: 'OwnerReturned' });
    expect(told.effects).toEqual(['result 1 exited']);
    expect(told.guest?.repeatAt).toBe(50_100);
  });

  it('gets a renewal that it never answered', () => {
    expect(feed(pass(running(), 2000), { type: 'OwnerReturned' }, 2100).effects).toEqual(['progress 1 running 1004']);
    expect(feed(pass(fetching(), 2000), { type: 'OwnerReturned' }, 2100).effects).toEqual(['progress 1 fetching 1004']);
  });

  it('gets nothing that it has already answered', () => {
    const answered = feed(running(), lease('hold', 1002), 100);
    expect(feed(answered, { type: 'OwnerReturned' }, 400).effects).toEqual([]);
  });
});
