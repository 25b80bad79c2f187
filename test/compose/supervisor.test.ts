import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findSupervisor } from '../../src/compose/supervisor.js';

afterEach(() => vi.unstubAllEnvs());

describe('the supervisor that a node would use', () => {
  it('is the Node.js program where that is asked for', async () => {
    vi.stubEnv('TRITMESH_SUPERVISOR', 'node');
    expect(await findSupervisor()).toMatchObject({ kind: 'node', program: process.execPath });
  });

  it('is the C program where that was built', async () => {
    vi.stubEnv('TRITMESH_SUPERVISOR', '');
    const isBuilt = existsSync(
      join(import.meta.dirname, '../../dist/native', `${process.platform}-${process.arch}`, 'tritmesh-supervisor'),
    );
    expect((await findSupervisor())?.kind).toBe(isBuilt ? 'native' : 'node');
  });
});
