/** Two hang-ups in a row at one topic are a denial; anything in between starts the count again. */
import { expect, it } from 'vitest';
import { createHangUps } from '../../../src/bus/mqtt/hang-ups.js';

it('one hang-up at a topic proves nothing, the second and each further one count as a denial', () => {
  const hangUps = createHangUps();
  expect(['a', 'a', 'a'].map(hangUps.hungUp)).toEqual([false, true, true]);
});

it('an answer for the topic, or a hang-up at another, resets the count', () => {
  const hangUps = createHangUps();
  hangUps.hungUp('a');
  hangUps.answered('a');
  expect(['a', 'b', 'a'].map(hangUps.hungUp)).toEqual([false, false, false]);
});

it('another kind of end, or an answer for another topic, does not change the count', () => {
  const hangUps = createHangUps();
  hangUps.hungUp('a');
  hangUps.answered('b');
  expect([undefined, 'a'].map(hangUps.hungUp)).toEqual([false, true]);
});
