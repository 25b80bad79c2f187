/** What is removed, what stays, and what is told of it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeTree } from '../../../src/os/remove-tree.js';
import { sweepState } from '../../../src/transfer/workspace/sweep.js';
import { createTrash } from '../../../src/transfer/workspace/trash.js';
import type { Needed } from '../../../src/transfer/transfer.js';
import { requirement } from '../../support/requirements.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();
const canBeOther = requirement(
  'root, to be another user',
  process.platform === 'linux' && process.getuid?.() === 0,
  'run the tests as root',
);
/** Nobody, on any Linux. */
const OTHER = 65_534;

function make(root: string, path: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), 'x'.repeat(10_000));
}

describe('a sweep', () => {
  const needed: Needed = { item: (item) => item === 'live', guest: (name) => name === 'alpha/live/2' };

  function makeState(): string {
    const state = makeDirectory();
    for (const path of ['items/live/in/a', 'items/dead/in/a', 'guests/alpha/live/1/work/a', 'guests/alpha/live/2/a']) {
      make(state, path);
    }
    for (const path of ['guests/alpha/told/1/kept', 'journal/1', 'identity/key.pem', 'items/Not an id/a'])
      make(state, path);
    return state;
  }

  it('only tells when it is to, and removes just that', async () => {
    const state = makeState();
    const trash = createTrash(state);
    const told = await sweepState(state, needed, true, trash);
    expect(told).toMatchObject({ kept: 1, left: [] });
    expect(told.paths.map(({ path }) => path)).toEqual(['items/dead', 'guests/alpha/live/1']);
    expect(told.bytes).toBeGreaterThanOrEqual(20_000);
    expect(existsSync(join(state, 'items/dead/in/a'))).toBe(true);
    expect(await sweepState(state, needed, false, trash)).toEqual(told);
    expect(readdirSync(join(state, 'items')).toSorted()).toEqual(['Not an id', 'live']);
    expect(readdirSync(join(state, 'guests/alpha/live'))).toEqual(['2']);
    for (const path of ['guests/alpha/told/1/kept', 'journal/1', 'identity/key.pem']) {
      expect(existsSync(join(state, path))).toBe(true);
    }
    expect(await sweepState(state, needed, false, trash)).toMatchObject({ paths: [], bytes: 0 });
  });

  it('leaves what was taken up while it looked', async () => {
    const state = makeState();
    let asked = 0;
    const late: Needed = { item: (item) => item === 'live' || (item === 'dead' && asked++ > 0), guest: () => true };
    expect(await sweepState(state, late, false, createTrash(state))).toMatchObject({ paths: [] });
    expect(existsSync(join(state, 'items/dead/in/a'))).toBe(true);
  });
});

describe.skipIf(!canBeOther)('who is not root', () => {
  /** Does it as another user: root may remove everything. */
  async function asOther<T>(work: () => Promise<T>): Promise<T> {
    process.seteuid?.(OTHER);
    try {
      return await work();
    } finally {
      process.seteuid?.(0);
    }
  }

  it('removes what a job left read-only, in the tree and at its top', async () => {
    const state = makeDirectory();
    make(state, 'guests/alpha/j1/1/work/cache/module/deep/file');
    execFileSync('chown', ['-R', `${OTHER}`, state]);
    execFileSync('chmod', ['-R', 'a-w', join(state, 'guests/alpha/j1/1')]);
    chmodSync(join(state, 'guests/alpha/j1/1/work/cache'), 0);
    const script = `
      const { createTrash } = await import(${JSON.stringify(new URL('../../../dist/src/transfer/workspace/trash.js', import.meta.url))});
      await createTrash(${JSON.stringify(state)}).remove(${JSON.stringify(join(state, 'guests/alpha/j1/1'))});`;
    execFileSync('setpriv', [
      `--reuid=${OTHER}`,
      '--clear-groups',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ]);
    expect(readdirSync(join(state, 'guests/alpha/j1'))).toEqual([]);
    expect(readdirSync(join(state, 'trash'))).toEqual([]);
  });

  it('keeps what belongs to another in one place and names it', async () => {
    const state = makeDirectory();
    make(state, 'tree/theirs/file');
    execFileSync('chown', [`${OTHER}`, state, join(state, 'tree')]);
    const left = await asOther(() => removeTree(join(state, 'tree')));
    expect(left?.path).toContain('theirs');
    expect(left?.reason).toMatch(/EACCES|EPERM/);
    expect(await removeTree(join(state, 'tree'))).toBeUndefined();
    expect(existsSync(join(state, 'tree'))).toBe(false);
  });
});
