/** Messages that wait for a peer wait their time and no longer, however often they could not be delivered. */
import { expect, it } from 'vitest';
import { createMail } from '../../../src/transfer/direct/direct-mail.js';

const KEY = 'K';

it('keeps what could not be delivered for as long as it had, in its order', () => {
  let now = 0;
  const mail = createMail(() => now);
  mail.put(KEY, { topic: 'a', payload: '1' });
  for (now = 5000; now < 60_000; now += 5000) {
    const taken = mail.take(KEY, 1000);
    expect(taken.map(({ topic }) => topic)).toEqual(now === 5000 ? ['a'] : ['a', 'b']);
    mail.putBack(KEY, taken);
    if (now === 5000) mail.put(KEY, { topic: 'b', payload: '2' });
  }
  now = 61_000;
  expect(mail.take(KEY, 1000).map(({ topic }) => topic)).toEqual(['b']);
  now = 70_000;
  expect(mail.has(KEY)).toBe(false);
});
