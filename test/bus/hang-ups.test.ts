/** Two hang-ups at one topic in a row are a denial; whatever lies between them begins anew. */
import { expect, it } from 'vitest';
import { createHangUps } from '../../src/bus/hang-ups.js';

it('one hang-up at a topic says nothing, two do, and so does each further one', () => {
  const hangUps = createHangUps();
  expect(['a', 'a', 'a'].map(hangUps.hungUp)).toEqual([false, true, true]);
});

it('an answer for the topic, or a hang-up at another, begins anew', () => {
  const hangUps = createHangUps();
  hangUps.hungUp('a');
  hangUps.answered('a');
  expect(['a', 'b', 'a'].map(hangUps.hungUp)).toEqual([false, false, false]);
});

it('an end of another kind, and an answer for another topic, change nothing', () => {
  const hangUps = createHangUps();
  hangUps.hungUp('a');
  hangUps.answered('b');
  expect([undefined, 'a'].map(hangUps.hungUp)).toEqual([false, true]);
});
