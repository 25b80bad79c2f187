import { firstValueFrom } from 'rxjs';
import { filter, map } from 'rxjs/operators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLibraryNode, type LibraryNode } from '../../src/compose/library.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const createDirectory = temporaryDirectories();
const COMMAND = { argv: ['true'] };

async function openNode(): Promise<LibraryNode> {
  // No broker answers there: what is submitted waits.
  const node = await createLibraryNode({
    id: 'alpha',
    broker: 'mqtt://127.0.0.1:1',
    state_dir: createDirectory(),
    transfer: { listen: '127.0.0.1' },
  });
  onTestFinished(() => node.stop());
  return node;
}

describe('a submission of a program', () => {
  it('keeps the id that was chosen, and creates one otherwise', async () => {
    const node = await openNode();
    expect(await node.submit({ id: 'nightly', command: COMMAND, place: 'away' })).toBe('nightly');
    const other = await node.submit({ command: COMMAND, place: 'away' });
    expect(other).toMatch(/^[a-z0-9]+-[a-z0-9]{4}$/);
    const ids = await firstValueFrom(
      node.items$.pipe(
        map((items) => items.map(({ spec }) => spec.id)),
        filter(({ length }) => length === 2),
      ),
    );
    expect(ids.toSorted()).toEqual([other, 'nightly'].toSorted());
  });

  it.each([
    ['id', { id: 'No Such Id', command: COMMAND }, /^item\.id: must match/],
    ['command', { command: { argv: [] } }, /^item\.command\.argv: /],
  ])('names the invalid field %s', async (_field, item, message) => {
    const node = await openNode();
    await expect(node.submit(item)).rejects.toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(message) as string }),
    );
  });

  it('is refused with an id that is taken', async () => {
    const node = await openNode();
    await node.submit({ id: 'once', command: COMMAND, place: 'away' });
    await expect(node.submit({ id: 'once', command: COMMAND, place: 'away' })).rejects.toThrow('once already exists');
  });
});
