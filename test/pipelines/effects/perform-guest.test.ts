/**
 * The throttle of a run is lifted before the run is frozen, and an effect that overtakes the freeze replaces it. And the
 * files of a guest that are to be kept: if they cannot be marked, the node is told.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NEVER } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import type { GuestEffect } from '../../../src/core/effects.js';
import { createGuestPerformer } from '../../../src/pipelines/effects/perform-guest.js';
import type { Runner } from '../../../src/run/runner.js';
import type { Outcome, Transfer } from '../../../src/transfer/transfer.js';
import { createWorkspace } from '../../../src/transfer/workspace/workspace.js';
import { createManualClock } from '../../support/manual-clock.js';

const guest = 'alpha/j1/1';
let trail: string[];
let lifted: (() => void) | undefined;
let keepOutcome: Outcome<void>;
let perform: (effect: GuestEffect) => void;

beforeEach(() => {
  trail = [];
  lifted = undefined;
  keepOutcome = { ok: true, value: undefined };
  const nothing = (): undefined => undefined;
  const runner: Runner = {
    events$: NEVER,
    start: nothing,
    adopt: nothing,
    extend: nothing,
    heed: nothing,
    stop: (run) => trail.push(`stop ${run}`),
    freeze: (run) => trail.push(`freeze ${run}`),
    thaw: (run) => trail.push(`thaw ${run}`),
    take: nothing,
    pids: () => new Map(),
    close: nothing,
  };
  const transfer: Transfer = {
    name: 'https',
    start: nothing,
    urls: () => [],
    share: nothing,
    unshare: nothing,
    fetch: () => nothing,
    push: () => nothing,
    call: nothing,
    sealKey: '',
    seal: nothing,
    open: nothing,
    close: nothing,
  };
  ({ perform } = createGuestPerformer({
    self: 'alpha',
    clock: createManualClock(),
    transfer,
    // It touches no file until one of its functions is called.
    workspace: {
      ...createWorkspace(join(tmpdir(), 'tritmesh-never-made')),
      keepGuest: (_owner, _item, _epoch, done) => done(keepOutcome),
    },
    runner,
    keyOf: nothing,
    push: (input) => {
      if (input.type === 'KeepFailed') trail.push(`not kept ${input.guest}: ${input.reason}`);
      if (input.type !== 'ThrottleLiftWanted') return;
      trail.push(`lift ${input.guest}`);
      lifted = input.done;
    },
  }));
});

describe('a freeze', () => {
  it('waits until the throttle is lifted', () => {
    perform({ type: 'FreezeRun', guest });
    expect(trail).toEqual([`lift ${guest}`]);
    lifted?.();
    expect(trail).toEqual([`lift ${guest}`, `freeze ${guest}`]);
  });

  it.each<[string, GuestEffect, string]>([
    ['thaw', { type: 'ThawRun', guest, leaseEndsAt: 1000 }, `thaw ${guest}`],
    ['stop', { type: 'StopRun', guest, graceMs: 0, asks: false }, `stop ${guest}`],
  ])('that still waits is given up for a %s', (_name, effect, word) => {
    perform({ type: 'FreezeRun', guest });
    perform(effect);
    lifted?.();
    expect(trail).toEqual([`lift ${guest}`, word]);
  });
});

describe('files that are kept for a person', () => {
  it('are reported when they cannot be marked', () => {
    perform({ type: 'RemoveGuest', guest, files: false, kept: true });
    expect(trail).toEqual([]);
    keepOutcome = { ok: false, reason: 'ENOSPC', final: false };
    perform({ type: 'RemoveGuest', guest, files: false, kept: true });
    expect(trail).toEqual([`not kept ${guest}: ENOSPC`]);
  });
});
