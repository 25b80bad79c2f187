/** What keeps containers from being frozen or restored: read out of podman's own words, and asked of a real one. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/checkpoint/checkpoint.js';
import { preflightExport } from '../../src/container/preflight-export.js';
import type { Podman, PodmanAnswer } from '../../src/container/podman.js';
import { preflightContainerRestore } from '../../src/container/preflight-restore.js';
import { readPodmanCapabilities } from '../../src/container/capabilities.js';
import { withContainers } from '../../src/container/with-containers.js';
import { CHECKPOINT } from '../support/criu.js';
import { canMoveContainers, createPodmanHost, type PodmanHost } from './podman-host.js';

const ID = 'c'.repeat(64);
const CRIU: Capabilities = { usable: true, reason: '', criu: '/x/criu', version: '4.2.1', abilities: ['criu'] };
const CAPABILITIES = { usable: true, reason: '', version: '4.3.1', runtime: 'runc', abilities: ['podman', 'podman-4'] };

/** A podman that gives one answer. */
function saying(answer: Partial<PodmanAnswer>): Podman {
  const full = { code: 0, stdout: '', fault: '', ...answer };
  return { environment: {}, ask: () => Promise.resolve(full), perform: () => Promise.resolve(full) };
}

const plain = {
  Id: ID,
  Name: 'web',
  Image: 'd'.repeat(64),
  ImageName: 'web:1',
  OCIRuntime: 'runc',
  Path: 'sh',
  Pod: '',
  Mounts: [],
  SizeRw: 10,
  State: { Running: true, Paused: false, Pid: 7, StartedAt: '2026-01-01T00:00:00Z' },
  HostConfig: { AutoRemove: false, PidMode: 'private', RestartPolicy: { Name: '' } },
};

describe('the preflight at the source', () => {
  it.each([
    ['a plain one', {}, []],
    ['one with policy no', { HostConfig: { ...plain.HostConfig, RestartPolicy: { Name: 'no' } } }, []],
    ['a paused one', { State: { ...plain.State, Paused: true } }, ['does not run']],
    ['one in a pod', { Pod: ID }, ['pod']],
    ['one that shares namespaces', { Dependencies: [ID] }, ['namespaces of another']],
    ['one without an image', { Rootfs: '/srv/root' }, ['--rootfs']],
    ['one in which a command runs', { ExecIDs: [ID] }, ['podman exec']],
    ['one with the pids of the machine', { HostConfig: { ...plain.HostConfig, PidMode: 'host' } }, ['--pid host']],
    ['one with a volume', { Mounts: [{ Type: 'volume', Destination: '/data' }] }, ['/data would stay here (a volume)']],
    ['one with a tmpfs', { Mounts: [{ Type: 'tmpfs', Destination: '/tmp' }] }, []],
  ])('of %s finds its obstacles', async (_title, changes, words) => {
    const podman = saying({ stdout: JSON.stringify([{ ...plain, ...changes }]) });
    const { obstacles, facts } = await preflightExport(ID, '/tmp', podman, CAPABILITIES, CRIU);
    expect(obstacles).toHaveLength(words.length);
    for (const [at, word] of words.entries()) expect(obstacles[at]).toContain(word);
    expect(facts?.container).toMatchObject({ id: ID, name: 'web', runtime: 'runc', podman: '4.3.1' });
  });

  it.each([
    [
      saying({ code: 125, fault: 'no such container' }),
      CAPABILITIES,
      "root's podman does not know its container: no such container",
    ],
    [saying({ stdout: 'oops' }), CAPABILITIES, "podman's answer is no JSON"],
    [saying({ stdout: '[{}]' }), CAPABILITIES, "podman's answer is not understood at 0.Id"],
    [
      saying({}),
      { ...CAPABILITIES, usable: false, reason: 'podman is not installed' },
      'it is in a container, and this node cannot move those: podman is not installed',
    ],
  ])('says what it could not find out (%#)', async (podman, capabilities, obstacle) => {
    expect(await preflightExport(ID, '/tmp', podman, capabilities, CRIU)).toEqual({
      obstacles: [obstacle],
      facts: null,
    });
  });
});

describe('what podman can do', () => {
  const info = (version: string, rootless = false, path = '/bin/true'): string =>
    JSON.stringify({
      host: { ociRuntime: { name: 'runc', path }, security: { rootless } },
      version: { Version: version },
    });

  it('names the major version', async () => {
    expect(await readPodmanCapabilities(saying({ stdout: info('5.2.1') }), CRIU)).toMatchObject({
      usable: true,
      abilities: ['podman', 'podman-5'],
    });
  });

  it.each([
    [saying({ stdout: info('3.4.0') }), CRIU, 'too old'],
    [saying({ stdout: info('4.3.1', true) }), CRIU, 'without root'],
    [saying({ stdout: info('4.3.1', false, '/bin/false') }), CRIU, 'runc was built without checkpoints'],
    [saying({ code: -1 }), CRIU, 'not installed'],
    [saying({ stdout: '' }), CRIU, "podman's answer cannot be read"],
    [saying({ stdout: 'WARN[0000] the cgroup manager is not systemd' }), CRIU, "podman's answer cannot be read"],
    [saying({ stdout: 'null' }), CRIU, "podman's answer cannot be read"],
    [saying({ stdout: '{"host":"none","version":{"Version":"5.0.0"}}' }), CRIU, "podman's answer cannot be read"],
    [saying({ stdout: '{"host":{},"version":{"Version":"1.9.0"}}' }), CRIU, 'too old'],
    [saying({ code: 125, fault: 'no storage' }), CRIU, 'podman: no storage'],
    [saying({ stdout: info('4.3.1') }), { ...CRIU, usable: false, reason: 'criu needs root' }, 'criu needs root'],
  ])('says why nothing moves (%#)', async (podman, criu, reason) => {
    const capabilities = await readPodmanCapabilities(podman, criu);
    expect(capabilities).toMatchObject({ usable: false, abilities: [], reason: expect.stringContaining(reason) });
  });
});

describe.skipIf(!canMoveContainers)('a real container', { timeout: 60_000 }, () => {
  let root: string;
  let host: PodmanHost;
  beforeAll(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-podman-')));
    host = createPodmanHost(join(root, 'host'));
  });
  afterAll(() => {
    host.clear();
    rmSync(root, { recursive: true, force: true, maxRetries: 10 });
  });

  it('is found by any process in it, and checked at its receiver', async () => {
    const { id, pid } = host.count('whole');
    await host.awaitCount('whole', 1);
    const both = withContainers(CHECKPOINT, host.containers);
    const found = both.identify(pid);
    expect([...found.values()].filter(({ container }) => container === id).length).toBeGreaterThanOrEqual(1);
    expect(found.get(pid)).toMatchObject({ container: id, command: ['/bin/sh', '-c', expect.any(String)] });
    expect(found.get(process.pid)?.container).toBeUndefined();
    const subject = { pid, init: null, directory: root, knownAs: null };
    const { obstacles, facts } = await new Promise<Parameters<Parameters<typeof both.preflightDump>[1]>[0]>((resolve) =>
      both.preflightDump(subject, resolve),
    );
    expect(obstacles).toEqual([]);
    if (facts?.container === undefined) throw new Error('there are facts');
    expect(await host.containers.preflightRestore(facts, root)).toEqual(['podman has a container whole here already']);
    host.podman('rm', '-f', '-t', '0', id);
    expect(await host.containers.preflightRestore(facts, root)).toEqual([]);
    const other = { ...facts, container: { ...facts.container, podman: '9.0.0', runtime: 'crun', image: ID } };
    expect(await host.containers.preflightRestore(other, root)).toEqual([
      'podman 9.0.0 wrote it, and here is 4.3.1'.replace('4.3.1', (await host.containers.capabilities()).version),
      'it ran under crun, and podman uses runc here',
      `its container image is not here: localhost/tritmesh-count:1 (${ID.slice(0, 12)})`,
    ]);
  });
});

it('the preflight at the receiver says what it could not find out, and takes no container for absent', async () => {
  const facts = {
    container: { id: ID, name: 'web', image: ID, image_name: 'web:1', runtime: 'runc', podman: '4.0.0' },
  };
  const image = {
    v: 1,
    name: '',
    root: 1,
    pids: [1],
    shell_job: false,
    known_as: null,
    exe: '/sh',
    mapped: [],
  } as const;
  const rest = { cwd: '/', files: [], image_bytes: 0, cpu_s: 0, wall_ms: 0, criu: '' } as const;
  const found = await preflightContainerRestore(
    { ...image, ...rest, ...facts },
    '/tmp',
    0,
    saying({ code: 125 }),
    CAPABILITIES,
  );
  expect(found).toHaveLength(2);
  expect(await preflightContainerRestore({ ...image, ...rest }, '/tmp', 0, saying({}), CAPABILITIES)).toEqual([
    'it is no image of a container',
  ]);
});
