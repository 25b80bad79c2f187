/** Whether a node is too old for a request, by the code of its refusal, or by the words of versions that send no code. */
import { expect, it } from 'vitest';
import { isTooOld } from '../../../src/cli/job/item-standing.js';
import { RequestFailed } from '../../../src/cli/request/request-client.js';

it.each<[string, unknown, boolean]>([
  ['the code', refuse('this verb is unheard of', 'no-such-request'), true],
  ['the words of an earlier version', refuse('no such request: item'), true],
  ['the words with another code', refuse('no such request: item', 'no-such-item'), false],
  ['another refusal', refuse('no such item here: k1', 'no-such-item'), false],
  ['another refusal of an earlier version', refuse('no such item here: k1'), false],
  ['silence', new RequestFailed('silent', 'alpha', 'item', 'no such request'), false],
  ['another error', new Error('no such request'), false],
])('%s means so: %#', (_title, error, isSo) => {
  expect(isTooOld(error)).toBe(isSo);
});

function refuse(reason: string, code?: string): RequestFailed {
  return new RequestFailed('refused', 'alpha', 'item', reason, code);
}
