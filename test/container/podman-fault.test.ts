/** What people are told of a call of podman's that failed: the cause, out of what podman 4.3, runc 1.1 and criu 4.2 really wrote. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFault } from '../../src/container/podman-fault.js';

const GHOST = `(00.745323) Error (criu/util.c:1534): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted
(00.961873) Error (criu/files-reg.c:1031): Can't dump ghost file /tmp/x of 1200128 size, increase limit
(00.961890) Error (criu/cr-dump.c:1545): Dump files (pid: 15339) failed with -1
(01.324408) Error (criu/cr-dump.c:1975): Dumping FAILED.
`;

describe('the fault of podman', () => {
  let root: string;

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-fault-')));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  /** What podman wrote of a checkpoint; its command line alone is longer than what people are told. */
  function writeCheckpoint(log: string): string {
    const place = `${root}/${'x'.repeat(300)}`;
    return `time="2026-01-01T00:00:00Z" level=error msg="container still running"
time="2026-01-01T00:00:00Z" level=error msg="criu failed: type NOTIFY errno 0\\nlog file: ${log}"
Error: \`/usr/bin/runc checkpoint --image-path ${place} --work-path ${place} ${'a'.repeat(64)}\` failed: exit status 1
`;
  }

  it('is what criu wrote first in the log that podman names', () => {
    const log = join(root, 'dump.log');
    writeFileSync(log, GHOST);
    expect(readFault(writeCheckpoint(log), undefined)).toBe(
      "criu: Can't dump ghost file /tmp/x of 1200128 size, increase limit; Dump files (pid: 15339) failed with -1",
    );
  });

  it.each(['dump.log', 'restore.log'])('finds %s as crun names it', (name) => {
    const log = join(root, name);
    writeFileSync(log, GHOST);
    const text = `Error: OCI runtime error: CRIU checkpointing failed -52. Please check CRIU logfile ${log}\n`;
    expect(readFault(text, undefined)).toMatch(/^criu: Can't dump ghost file/);
  });

  it("is the runtime's word, without its long command line, when criu's log is not there", () => {
    const log = join(root, 'dump.log');
    const fault = readFault(writeCheckpoint(log), undefined);
    expect(fault).toBe(
      `/usr/bin/runc checkpoint failed: exit status 1: criu failed: type NOTIFY errno 0\\nlog file: ${log}`,
    );
  });

  it.each([
    ["podman's last sentence", 'Error: one\nError: no such container\n', 'no such container'],
    ['what is known else', 'nothing to see\n', 'timed out'],
    ['the end of a long one', `Error: ${'x'.repeat(500)} no space left\n`, `…${'x'.repeat(285)} no space left`],
  ])('is %s otherwise', (_title, text, fault) => {
    expect(readFault(text, 'timed out')).toBe(fault);
  });

  it('is said to be unknown when nobody said anything', () => {
    expect(readFault('', undefined)).toBe('podman gave no reason');
  });
});
