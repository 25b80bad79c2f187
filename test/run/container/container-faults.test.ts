/**
 * Containers that criu cannot freeze, at one moment or ever: podman is asked again or people are told why, and the container counts on.
 * podman and criu are real; of what passes by itself only a runtime that stands before runc can be sure to meet it.
 */
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createContainers } from '../../../src/container/create-containers.js';
import {
  canMoveContainers,
  createPodmanHost,
  IMAGE,
  isContainerAlive,
  readStartTicks,
  type PodmanHost,
} from '../../container/podman-host.js';
import { CHECKPOINT } from '../../support/criu.js';
import { createRunSetup, type RecordingRunner, type RunSetup } from '../../support/run-setup.js';

/** Fails so many checkpoints as the file beside it says, with what runc 1.1 and criu 4.2 say of a process between vfork and exec. */
const RUNTIME = `#!/bin/sh
if [ "$1 $2" = 'checkpoint --image-path' ] && read -r left <"$0.left" && [ "$left" -gt 0 ]; then
  echo $((left - 1)) >"$0.left"
  cat >"$5/dump.log" <<'END'
(00.203190) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
(10.213707) Error (criu/cr-dump.c:1655): Timeout reached. Try to interrupt: 0
(10.213817) Error (compel/src/lib/infect.c:262): Unseizable non-zombie 7508 found, state D, err -1/4
(10.213866) Error (criu/cr-dump.c:1975): Dumping FAILED.
END
  echo 'time="2026-01-01T00:00:00Z" level=error msg="criu failed: type NOTIFY errno 0 log file: '"$5"'/dump.log"' >&2
  exit 1
fi
exec runc "$@"
`;

/** Counts, with a file open that is too large for an image once it is deleted. */
const GHOST = `exec 3>/tmp/ghost; printf %02000000d 7 >&3; i=0; while :; do echo $i; i=$((i + 1)); sleep 0.05; done`;

describe.skipIf(!canMoveContainers)('a container that criu cannot freeze', { timeout: 180_000 }, () => {
  let root: string;
  let host: PodmanHost;
  let runtime: string;
  let bench: RunSetup;
  let runner: RecordingRunner;

  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-podman-')));
    host = createPodmanHost(join(root, 'host'));
    runtime = join(root, 'runtime');
    writeFileSync(runtime, RUNTIME);
    chmodSync(runtime, 0o755);
    const settings = readFileSync(host.variables['CONTAINERS_CONF'] ?? '', 'utf8');
    writeFileSync(join(root, 'containers.conf'), `${settings}[engine.runtimes]\nrunc = ["${runtime}"]\n`);
  });
  afterAll(() => {
    host.clear();
    rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  });
  beforeEach(() => {
    bench = createRunSetup();
    const variables = { ...host.variables, CONTAINERS_CONF: join(root, 'containers.conf') };
    runner = bench.runner(CHECKPOINT, createContainers(CHECKPOINT, variables));
  });
  afterEach(() => {
    host.podman('rm', '-f', '-a', '-t', '0');
    bench.clear();
  });

  async function take(name: string, pid: number): Promise<void> {
    await host.awaitCount(name, 3);
    runner.take('a', join(bench.root, 'a'), { pid, start: readStartTicks(pid) });
    await runner.answer('a', 'RunStarted');
  }

  function refuseCheckpoints(count: number): void {
    writeFileSync(`${runtime}.left`, `${count}\n`);
  }

  /** It runs under the process that it had, was never stopped, and counts without a gap. */
  async function expectUntouched(name: string, pid: number): Promise<void> {
    const format = '{{.State.Running}} {{.State.Paused}} {{.State.Pid}}';
    expect(host.podman('container', 'inspect', '-f', format, name).trim()).toBe(`true false ${pid}`);
    await host.awaitCount(name, host.counted(name).length + 5);
    const counts = host.counted(name);
    expect(counts).toEqual(counts.map((_count, index) => index));
  }

  it('for a moment is frozen at the next one', async () => {
    const { id, pid } = host.count('held');
    await take('held', pid);
    refuseCheckpoints(2);
    runner.freeze('a');
    await runner.answer('a', 'RunFrozen');
    expect(readFileSync(`${runtime}.left`, 'utf8')).toBe('0\n');
    expect(isContainerAlive(id)).toBe(false);
    runner.thaw('a');
    await runner.answer('a', 'RunThawed');
    await host.awaitCount('held', host.counted('held').length + 5);
  });

  it('for long goes on, and people hear what criu met', async () => {
    const { pid } = host.count('stuck');
    await take('stuck', pid);
    refuseCheckpoints(9);
    runner.freeze('a');
    const { reason } = await runner.next('a', 'FreezeFailed');
    expect(reason).toBe(
      'podman: criu: Timeout reached. Try to interrupt: 0; Unseizable non-zombie 7508 found, state D, err -1/4',
    );
    expect(readFileSync(`${runtime}.left`, 'utf8')).toBe('5\n');
    await expectUntouched('stuck', pid);
    refuseCheckpoints(0);
    runner.freeze('a');
    await runner.next('a', 'RunFrozen');
  });

  it('ever goes on, is asked for once, and people hear why', async () => {
    host.podman('run', '-d', '--name', 'ghost', IMAGE, '/bin/sh', '-c', GHOST);
    const pid = Number(host.podman('container', 'inspect', '-f', '{{.State.Pid}}', 'ghost'));
    await take('ghost', pid);
    rmSync(`/proc/${pid}/root/tmp/ghost`);
    refuseCheckpoints(0);
    runner.freeze('a');
    const { reason } = await runner.next('a', 'FreezeFailed');
    expect(reason).toMatch(/^podman: criu: Can't dump ghost file \/tmp\/ghost of \d+ size/);
    await expectUntouched('ghost', pid);
  });
});
