/** The status board: ends are published at once, the rest is gathered; an ended item is cleared, a lost one is not. */
import { describe, expect, it } from 'vitest';
import type { Publish } from '../../../src/core/effects.js';
import { publishStatus } from '../../../src/core/owner/item-status.js';
import { createStatusBoard, type StatusBoard } from '../../../src/pipelines/effects/publish-status.js';
import type { Phase } from '../../../src/protocol/status.js';
import { submit } from '../../core/owner/owner-run.js';
import { createManualClock, type ManualClock } from '../../support/manual-clock.js';

function setUp(keptMs = 1000): { readonly board: StatusBoard; readonly clock: ManualClock; readonly log: string[] } {
  const clock = createManualClock();
  const log: string[] = [];
  const publisher = {
    publish: (message: Publish, retain?: boolean) => {
      if (message.kind === 'status')
        log.push(`${message.topic.item} ${message.body.phase}${retain === true ? '' : ' unretained'}`);
    },
    request: () => true,
    publishText: () => undefined,
    clearRetained: (topic: object) => log.push(`clear ${'item' in topic ? String(topic.item) : ''}`),
    forget: () => undefined,
    seq: () => 0,
  };
  return { board: createStatusBoard('alpha', publisher, clock, keptMs), clock, log };
}

function status(item: string, phase: Phase): Extract<Publish, { kind: 'status' }> {
  const message = publishStatus({ ...submit({ id: item }).state, phase }, 'alpha');
  if (message.type !== 'Publish' || message.kind !== 'status') throw new Error('no status');
  return message;
}

describe('the status board', () => {
  it('publishes the newest of several statuses after a short delay', () => {
    const { board, clock, log } = setUp();
    for (const phase of ['queued', 'offered', 'acked'] as const) board.handle(status('j1', phase));
    clock.pass(99);
    expect(log).toEqual([]);
    clock.pass(1);
    expect(log).toEqual(['j1 acked']);
  });

  it('publishes a status only if it lasts', () => {
    const { board, clock, log } = setUp();
    for (const phase of ['queued', 'offered', 'acked'] as const) {
      board.handle(status('j1', phase));
      clock.pass(99);
    }
    expect(log).toEqual([]);
    board.handle(status('j1', 'done'));
    clock.pass(200);
    expect(log).toEqual(['j1 done']);
  });

  it('publishes the newest status after a second if it changes ever again', () => {
    const { board, clock, log } = setUp();
    for (let ms = 0; ms < 1000; ms += 50) {
      board.handle(status('j1', ms % 100 === 0 ? 'queued' : 'offered'));
      clock.pass(50);
    }
    expect(log).toEqual(['j1 offered']);
    board.handle(status('j1', 'queued'));
    clock.pass(100);
    expect(log).toEqual(['j1 offered', 'j1 queued']);
  });

  it.each<Phase>(['done', 'failed', 'cancelled', 'lost'])(
    'publishes %s at once, and nothing older after it',
    (phase) => {
      const { board, clock, log } = setUp(10_000);
      board.handle(status('j1', 'running'));
      board.handle(status('j1', phase));
      clock.pass(200);
      expect(log).toEqual([`j1 ${phase}`]);
    },
  );

  it('removes an ended item from the bus after a while', () => {
    const { board, clock, log } = setUp();
    board.handle(status('j1', 'done'));
    clock.pass(1000);
    expect(log).toEqual(['j1 done', 'clear j1']);
  });

  it('keeps a lost item on the bus: it waits for a person', () => {
    const { board, clock, log } = setUp();
    board.handle(status('j1', 'lost'));
    clock.pass(100_000);
    expect(log).toEqual(['j1 lost']);
  });

  it('retains a living item that found no place as soon as there is one', () => {
    const { board, clock, log } = setUp();
    for (let index = 1; index <= 101; index += 1) board.handle(status(`j${index}`, 'queued'));
    clock.pass(100);
    expect(log.filter((line) => line.endsWith('unretained'))).toEqual(['j101 queued unretained']);
    board.handle(status('j1', 'done'));
    clock.pass(1000);
    expect(log.slice(101)).toEqual(['j1 done', 'clear j1', 'j101 queued']);
  });

  it('retains at most a hundred statuses: the one that ended first goes, a living one never', () => {
    const { board, clock, log } = setUp();
    board.handle(status('lives', 'queued'));
    clock.pass(100);
    for (let index = 1; index <= 100; index += 1) board.handle(status(`j${index}`, 'done'));
    expect(log.filter((line) => line.startsWith('clear'))).toEqual(['clear j1']);
  });

  it('publishes without retaining when there is no place left', () => {
    const { board, clock, log } = setUp();
    for (let index = 1; index <= 101; index += 1) board.handle(status(`j${index}`, 'queued'));
    clock.pass(100);
    expect(log.at(-1)).toBe('j101 queued unretained');
  });

  it('publishes nothing more once it is closed', () => {
    const { board, clock, log } = setUp();
    board.handle(status('j1', 'queued'));
    board.handle(status('j2', 'done'));
    board.close();
    clock.pass(10_000);
    expect(log).toEqual(['j2 done']);
  });
});
