/**
 * Small outputs that travel sealed inside the result, seen from the receiver: the key of the ack is used for sealing,
 * and the sealed outputs reach the result.
 */
import { describe, expect, it } from 'vitest';
import { command } from '../../support/samples.js';
import { ack, claimed, exited, feed, handle, type GuestRun } from './receiver-run.js';

function collecting(sealKey: string | undefined): GuestRun {
  const started = feed(claimed(), ack({ command, ...(sealKey === undefined ? {} : { seal_key: sealKey }) }));
  return feed(feed(started, { type: 'RunStarted', handle }), exited);
}

const KEY = 'K'.repeat(43);
const bundle = { sha256: 'c'.repeat(64), bytes: 9, count: 2, sealed: 'AAAA' };

describe('the outputs of a guest', () => {
  it('are sealed to the key in the ack, which the journal keeps', () => {
    const run = collecting(KEY);
    expect(run.raw.find(({ type }) => type === 'Collect')).toMatchObject({ sealKey: KEY });
    const started = feed(claimed(), ack({ command, seal_key: KEY }));
    expect(started.raw.find(({ type }) => type === 'Persist')).toMatchObject({ value: { sealKey: KEY } });
  });

  it('are not sealed if the owner sent no key', () => {
    expect(collecting(undefined).raw.find(({ type }) => type === 'Collect')).not.toMatchObject({ sealKey: KEY });
  });

  it('are part of the result each time that it is published', () => {
    const ended = feed(collecting(KEY), { type: 'Collected', bundle });
    const again = feed(ended, { type: 'TimePassed' }, 4000);
    for (const run of [ended, again]) {
      expect(run.raw.at(-1)).toMatchObject({ kind: 'result', body: { sealed: 'AAAA', outputs_count: 2 } });
    }
  });
});
