/** How often podman is asked for an export: again after what passes, a few times, and only of a container that was left running. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DumpPreflight } from '../../src/checkpoint/checkpoint.js';
import { exportContainer } from '../../src/container/export-container.js';
import { preflightExport } from '../../src/container/preflight-export.js';
import type { Podman } from '../../src/container/podman.js';

const ID = 'c'.repeat(64);
const TIMEOUT = 'criu: Timeout reached. Try to interrupt: 0; Unseizable non-zombie 7 found, state D, err -1/4';
const SPENT = { cpuS: 1, wallMs: 2000 };
const CAPABILITIES = { usable: true, reason: '', version: '4.3.1', runtime: 'runc', abilities: ['podman', 'podman-4'] };
const CRIU = { usable: true, reason: '', criu: '/x/criu', version: '4.2.1', abilities: ['criu'] };
const STATE = { Running: true, Paused: false, Pid: 7, StartedAt: '2026-01-01T00:00:00Z' };
const RECORD = {
  Id: ID,
  Name: 'web',
  Image: 'd'.repeat(64),
  State: STATE,
  HostConfig: { AutoRemove: false, RestartPolicy: { Name: '' } },
};

describe('an export', () => {
  let root: string;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-export-')));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  /** podman fails so often with these faults, then succeeds; `states`: of the container, at one look after the other. */
  function createScript(faults: readonly string[], states: readonly Partial<typeof STATE>[] = []) {
    const asked: string[] = [];
    const podman: Podman = {
      environment: {},
      ask: () => {
        const state = { ...STATE, ...states[asked.length] };
        return Promise.resolve({ code: 0, stdout: JSON.stringify([{ ...RECORD, State: state }]), fault: '' });
      },
      perform: (_directory, ...args) => {
        const fault = faults[asked.length];
        asked.push(args.slice(0, 2).join(' '));
        return Promise.resolve({ code: fault === undefined ? 0 : 125, stdout: '', fault: fault ?? '' });
      },
    };
    const preflight = (): Promise<DumpPreflight> => preflightExport(ID, root, podman, CAPABILITIES, CRIU);
    return { asked, give: () => exportContainer(ID, root, preflight, SPENT, podman) };
  }

  it('is asked for again when criu met a moment at which it cannot freeze', async () => {
    const { asked, give } = createScript([TIMEOUT, 'criu: Unable to freeze cgroup /sys/fs/cgroup/freezer/x']);
    const dumped = await give();
    expect(dumped).toMatchObject({ ok: true, facts: { name: 'web', cpu_s: 1 } });
    expect(asked).toEqual(Array.from({ length: 3 }, () => 'container checkpoint'));
    expect(JSON.parse(readFileSync(join(root, 'image/facts.json'), 'utf8'))).toMatchObject({ name: 'web' });
  });

  it('is given up after four times, with the reason of the last, and no facts', async () => {
    const { asked, give } = createScript(Array.from({ length: 9 }, () => TIMEOUT));
    expect(await give()).toEqual({ ok: false, reason: `podman: ${TIMEOUT}` });
    expect(asked).toHaveLength(4);
    expect(existsSync(join(root, 'image/facts.json'))).toBe(false);
  });

  it('is not asked for again when the reason will not pass', async () => {
    const reason = "criu: Can't dump ghost file /tmp/x of 1200128 size, increase limit";
    const { asked, give } = createScript([reason]);
    expect(await give()).toEqual({ ok: false, reason: `podman: ${reason}` });
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['stopped', { Running: false }],
    ['paused', { Paused: true }],
  ])('is not asked for again when podman left the container %s', async (_title, state) => {
    const { asked, give } = createScript([TIMEOUT], [{}, state]);
    expect(await give()).toEqual({ ok: false, reason: 'its container does not run' });
    expect(asked).toHaveLength(1);
  });

  it('of a container that cannot be frozen does not leave an earlier one, which would look complete', async () => {
    mkdirSync(join(root, 'image'));
    writeFileSync(join(root, 'image/facts.json'), '{}');
    const { give } = createScript([], [{ Paused: true }]);
    expect(await give()).toEqual({ ok: false, reason: 'its container does not run' });
    expect(existsSync(join(root, 'image/facts.json'))).toBe(false);
  });
});
