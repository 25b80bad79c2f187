/** The status board: ends at once, the rest gathered; ended items are taken off the bus, a lost one is not. */
import { describe, expect, test } from 'vitest';
import type { Say } from '../../src/core/effects.js';
import { sayStatus } from '../../src/core/owner/item-status.js';
import { createStatusBoard, type StatusBoard } from '../../src/pipelines/status.js';
import type { Phase } from '../../src/protocol/status.js';
import { submit } from '../core/owner/owner-run.js';
import { createManualClock, type ManualClock } from './manual-clock.js';

function setUp(keptMs = 1000): { readonly board: StatusBoard; readonly clock: ManualClock; readonly log: string[] } {
  const clock = createManualClock();
  const log: string[] = [];
  const speaker = {
    say: (message: Say, retain?: boolean) => {
      if (message.kind === 'status')
        log.push(`${message.topic.item} ${message.body.phase}${retain === true ? '' : ' unretained'}`);
    },
    ask: () => true,
    sayText: () => undefined,
    unsay: (topic: object) => log.push(`unsay ${'item' in topic ? String(topic.item) : ''}`),
    forget: () => undefined,
    seq: () => 0,
  };
  return { board: createStatusBoard('alpha', speaker, clock, keptMs), clock, log };
}

function status(item: string, phase: Phase): Extract<Say, { kind: 'status' }> {
  const message = sayStatus({ ...submit({ item }).state, phase }, 'alpha');
  if (message.type !== 'Say' || message.kind !== 'status') throw new Error('no status');
  return message;
}

describe('the status board', () => {
  test('says the newest of several statuses after a short while', () => {
    const { board, clock, log } = setUp();
    for (const phase of ['queued', 'offered', 'acked'] as const) board.take(status('j1', phase));
    clock.pass(99);
    expect(log).toEqual([]);
    clock.pass(1);
    expect(log).toEqual(['j1 acked']);
  });

  test.each<Phase>(['done', 'failed', 'cancelled', 'lost'])('says %s at once, and nothing older after it', (phase) => {
    const { board, clock, log } = setUp(10_000);
    board.take(status('j1', 'running'));
    board.take(status('j1', phase));
    clock.pass(200);
    expect(log).toEqual([`j1 ${phase}`]);
  });

  test('takes an ended item off the bus after a while', () => {
    const { board, clock, log } = setUp();
    board.take(status('j1', 'done'));
    clock.pass(1000);
    expect(log).toEqual(['j1 done', 'unsay j1']);
  });

  test('a lost item stays on the bus: it waits for a person', () => {
    const { board, clock, log } = setUp();
    board.take(status('j1', 'lost'));
    clock.pass(100_000);
    expect(log).toEqual(['j1 lost']);
  });

  test('a living item for which there was no room is kept as soon as there is', () => {
    const { board, clock, log } = setUp();
    for (let index = 1; index <= 101; index += 1) board.take(status(`j${index}`, 'queued'));
    clock.pass(100);
    expect(log.filter((line) => line.endsWith('unretained'))).toEqual(['j101 queued unretained']);
    board.take(status('j1', 'done'));
    clock.pass(1000);
    expect(log.slice(101)).toEqual(['j1 done', 'unsay j1', 'j101 queued']);
  });

  test('keeps no more than a hundred on the bus: the one that ended first goes, a living one never', () => {
    const { board, clock, log } = setUp();
    board.take(status('lives', 'queued'));
    clock.pass(100);
    for (let index = 1; index <= 100; index += 1) board.take(status(`j${index}`, 'done'));
    expect(log.filter((line) => line.startsWith('unsay'))).toEqual(['unsay j1']);
  });

  test('what finds no room is said without being kept', () => {
    const { board, clock, log } = setUp();
    for (let index = 1; index <= 101; index += 1) board.take(status(`j${index}`, 'queued'));
    clock.pass(100);
    expect(log.at(-1)).toBe('j101 queued unretained');
  });

  test('a closed board says nothing more', () => {
    const { board, clock, log } = setUp();
    board.take(status('j1', 'queued'));
    board.take(status('j2', 'done'));
    board.close();
    clock.pass(10_000);
    expect(log).toEqual(['j2 done']);
  });
});
