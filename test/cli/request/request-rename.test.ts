/** The request to rename a running node, while that node has work, leaves, or is away. */
import { describe, expect, it } from 'vitest';
import { requestUntilReady, type RenameRequest } from '../../../src/cli/request/request-rename.js';
import { RequestFailed, type RequestFault } from '../../../src/cli/request/request-client.js';

type Reaction = number | RequestFault | 'over';

/** Renames a node with these reactions in order, the last one repeated; a number is how many items are left. */
async function ask(reactions: readonly Reaction[]): Promise<{ asked: number; said: readonly string[]; now: number }> {
  const said: string[] = [];
  let [asked, now] = [0, 0];
  const rename: RenameRequest = {
    requests: {
      async send(verb) {
        const reaction = reactions[Math.min(asked, reactions.length - 1)];
        asked += 1;
        if (reaction === 'over') rename.isOver = true;
        else if (typeof reaction === 'string') throw new RequestFailed(reaction, 'alpha', verb, `is ${reaction}`);
        const count = typeof reaction === 'number' ? reaction : 1;
        const waits = [{ item: 'one', phase: 'running', reason: 'at beta' }].slice(0, count);
        return { v: 1, ts: '', boot: 1, seq: 1, status: 'ok', data: { to: 'omega', waits, waits_count: count } };
      },
    },
    from: 'alpha',
    to: 'omega',
    clock: { now: () => now },
    report: (text) => said.push(text),
    pause: async (ms) => void (now += ms),
    isOver: false,
  };
  await requestUntilReady(rename);
  return { asked, said, now };
}

describe('a rename', () => {
  it('is repeated until nothing is left, and reports what is left when that changes', async () => {
    const { asked, said, now } = await ask([2, 2, 1, 0]);
    expect({ asked, now }).toEqual({ asked: 4, now: 6000 });
    expect(said).toHaveLength(3);
  });

  it.each(['offline', 'unknown', 'silent', 'unsent'] as const)(
    'goes on while the node that has answered is %s: it left to start again',
    async (fault) => {
      expect(await ask([1, fault, fault, fault, 'over'])).toMatchObject({ asked: 5 });
      expect(await ask([1, fault, 1, 0])).toMatchObject({ asked: 4 });
    },
  );

  it('fails when the node is away at first, stays away, or refuses', async () => {
    await expect(ask(['offline'])).rejects.toMatchObject({ fault: 'offline' });
    await expect(ask([1, 'silent'])).rejects.toMatchObject({ fault: 'silent' });
    await expect(ask([1, 'refused'])).rejects.toMatchObject({ fault: 'refused' });
  });
});
