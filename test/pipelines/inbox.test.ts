/** The one inbound stream: one input is processed at a time. */
import { describe, expect, it } from 'vitest';
import { createInbox } from '../../src/pipelines/inbox.js';

describe('the inbox', () => {
  it('an input that is pushed while another is processed waits its turn', () => {
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

  it('is quiet once after the last waiting input, and again after what that led to', () => {
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

  it('news of members goes to its own stream, in order with all other inputs', () => {
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

  it('news of members alone does not make it quiet again', () => {
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

  it('closing completes all streams', () => {
    const inbox = createInbox<string>();
    const seen: string[] = [];
    inbox.heard$.subscribe({ complete: () => seen.push('heard') });
    inbox.inputs$.subscribe({ complete: () => seen.push('inputs') });
    inbox.quiet$.subscribe({ complete: () => seen.push('quiet') });
    inbox.close();
    expect(seen).toEqual(['heard', 'inputs', 'quiet']);
  });
});
