/** Answers about a node’s items: the status of one, that it is not known, and all living ones, page by page. */
import { explain, type Reason } from '../../../src/protocol/reasons.js';
import { describe, expect, it } from 'vitest';
import { answerItem, answerItems } from '../../../src/pipelines/requests/answer-items.js';
import { MESSAGE_BYTES_MAX } from '../../../src/protocol/limits.js';
import type { Status } from '../../../src/protocol/status.js';
import { lost, running, submit, type OwnerRun } from '../../core/owner/owner-run.js';
import type { OwnedItem } from '../../../src/core/owner/owned-item.js';

const nobody = (): Reason => explain('no-such-item', 'k9');

describe('an answer to `item`', () => {
  it('has the status of a known item', () => {
    const state = running().state;
    const answer = answerItem(state.spec.id, { items: items(state), wasRetired: () => false }, nobody);
    expect(answer).toMatchObject({ data: { item: state.spec.id, known: true, status: { phase: 'running' } } });
  });

  it('has the reason when it is not known, or was forgotten', () => {
    const at = { items: new Map(), wasRetired: (id: string) => id === 'old' };
    expect(answerItem('k9', at, nobody)).toEqual({ data: { item: 'k9', known: false, reason: nobody().text } });
    expect(answerItem('old', at, nobody)).toEqual({
      data: { item: 'old', known: false, reason: 'item old has ended, and is no longer kept here' },
    });
  });
});

describe('an answer to `items`', () => {
  it('lists all that have not ended in pages that fit into a message', () => {
    const waiting = submit().state;
    const many = Array.from({ length: 150 }, (_one, index): OwnedItem => {
      const item = `k${String(index).padStart(3, '0')}`;
      const blocked = Array.from({ length: 16 }, (_other, at) => ({ node: `n${at}`, reason: 'ä'.repeat(100) }));
      return { ...waiting, spec: { ...waiting.spec, id: item }, blocked };
    });
    const ended: OwnedItem = { ...lost().state, phase: 'done' };
    const states = items(...many.toReversed(), { ...ended, spec: { ...ended.spec, id: 'a-done' } });
    const seen: string[] = [];
    let after: string | undefined;
    let pages = 0;
    for (let more = true; more; pages += 1) {
      const answer = answerItems(after, { items: states });
      if (!('data' in answer)) throw new Error('no page');
      const data = answer.data as Page & typeof answer.data;
      expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThan(MESSAGE_BYTES_MAX);
      expect(data.count).toBe(150);
      seen.push(...data.items.map((one) => one.item));
      after = seen.at(-1);
      ({ more } = data);
    }
    expect(seen).toEqual(many.map((state) => state.spec.id));
    expect(pages).toBeGreaterThan(5);
  });

  it('is empty for a node without items, and after the last one', () => {
    expect(answerItems(undefined, { items: new Map() })).toEqual({ data: { items: [], more: false, count: 0 } });
    const state = submit().state;
    expect(answerItems('zzz', { items: items(state) })).toEqual({ data: { items: [], more: false, count: 1 } });
  });
});

interface Page {
  readonly items: readonly (Status & { readonly item: string })[];
  readonly more: boolean;
  readonly count: number;
}

function items(...states: readonly OwnerRun['state'][]): ReadonlyMap<string, OwnedItem> {
  return new Map(states.map((state) => [state.spec.id, state]));
}
