/** The one inbound stream: nothing is worked on while something else is. */
import { describe, expect, test } from 'vitest';
import { createInbox } from '../../src/pipelines/inbox.js';

describe('the inbox', () => {
  test('what is pushed while an input is worked on waits until that work is done', () => {
    const inbox = createInbox<string>();
    const seen: string[] = [];
    inbox.inputs$.subscribe((input) => {
      seen.push(`begin ${input}`);
      if (input === 'a') inbox.push('b');
      seen.push(`end ${input}`);
    });
    inbox.push('a');
    expect(seen).toEqual(['begin a', 'end a', 'begin b', 'end b']);
  });

  test('it is quiet once when the last waiting input was worked off, and again after what that led to', () => {
    const inbox = createInbox<string>();
    const seen: string[] = [];
    inbox.inputs$.subscribe((input) => {
      seen.push(input);
      if (input === 'a') for (const next of ['b', 'c']) inbox.push(next);
    });
    inbox.quiet$.subscribe(() => {
      seen.push('quiet');
      if (seen.length < 6) inbox.push('d');
    });
    inbox.push('a');
    expect(seen).toEqual(['a', 'b', 'c', 'quiet', 'd', 'quiet']);
  });

  test('what is heard of others goes its own way, in turn with all else', () => {
    const inbox = createInbox<string | number, number>((input) => typeof input === 'number');
    const seen: string[] = [];
    inbox.inputs$.subscribe((input) => {
      seen.push(input);
      inbox.push(1);
      seen.push('end');
    });
    inbox.heard$.subscribe((input) => seen.push(`heard ${input}`));
    inbox.quiet$.subscribe(() => seen.push('quiet'));
    inbox.push('a');
    expect(seen).toEqual(['a', 'end', 'heard 1', 'quiet']);
  });

  test('what is heard alone makes it neither loud nor quiet again', () => {
    const inbox = createInbox<string | number, number>((input) => typeof input === 'number');
    const seen: string[] = [];
    inbox.heard$.subscribe((input) => {
      seen.push(`heard ${input}`);
      if (input === 2) inbox.push('news');
    });
    inbox.inputs$.subscribe((input) => seen.push(input));
    inbox.quiet$.subscribe(() => seen.push('quiet'));
    inbox.push(1);
    inbox.push(2);
    expect(seen).toEqual(['heard 1', 'heard 2', 'news', 'quiet']);
  });

  test('closing completes all streams', () => {
    const inbox = createInbox<string>();
    const seen: string[] = [];
    inbox.heard$.subscribe({ complete: () => seen.push('heard') });
    inbox.inputs$.subscribe({ complete: () => seen.push('inputs') });
    inbox.quiet$.subscribe({ complete: () => seen.push('quiet') });
    inbox.close();
    expect(seen).toEqual(['heard', 'inputs', 'quiet']);
  });
});
