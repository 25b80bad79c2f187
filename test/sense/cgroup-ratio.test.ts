import { join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { findCgroupLimit } from '../../src/sense/cgroup-limit.js';
import { findCgroupPlaces } from '../../src/sense/cgroup-place.js';
import { createCgroupRatio } from '../../src/sense/cgroup-ratio.js';
import type { LoadRatio, MachineSample, RatioOf } from '../../src/sense/machine.js';
import { createFileTree, type FileTree } from './file-tree.js';

const V2_MOUNT = '42 32 0:41 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n';
const V1_MOUNTS = [
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
  '',
].join('\n');
const V2 = 'sys/fs/cgroup';
const V1 = 'sys/fs/cgroup/cpu,cpuacct';

function createCgroups(cgroup: string, mountinfo: string, files: Readonly<Record<string, string>>): FileTree {
  return createFileTree({ 'proc/self/cgroup': cgroup, 'proc/self/mountinfo': mountinfo, ...files });
}

function dirsOf(tree: FileTree): { procDir: string; rootDir: string } {
  return { procDir: join(tree.directory, 'proc'), rootDir: tree.directory };
}

function findLimit(tree: FileTree): { directory: string; cpus: number; usageS: number } {
  const { procDir, rootDir } = dirsOf(tree);
  const limit = findCgroupLimit(findCgroupPlaces(procDir, rootDir));
  return { ...limit, directory: limit.directory.slice(tree.directory.length + 1) };
}

function usageV2(seconds: number): string {
  return `usage_usec ${seconds * 1e6}\nuser_usec 1\nsystem_usec 1\nnr_periods 0\n`;
}

function usageV1(seconds: number): string {
  return `${seconds * 1e9}\n`;
}

describe('findCgroupLimit, version 2', () => {
  it('a service with a quota of its own', () => {
    const tree = createCgroups('0::/system.slice/mesh.service\n', V2_MOUNT, {
      [`${V2}/cpu.stat`]: usageV2(1000),
      [`${V2}/system.slice/cpu.max`]: 'max 100000\n',
      [`${V2}/system.slice/cpu.stat`]: usageV2(100),
      [`${V2}/system.slice/mesh.service/cpu.max`]: '150000 100000\n',
      [`${V2}/system.slice/mesh.service/cpu.stat`]: usageV2(10),
    });
    expect(findLimit(tree)).toEqual({ directory: `${V2}/system.slice/mesh.service`, cpus: 1.5, usageS: 10 });
  });

  it('the least quota of all levels decides, and its use counts', () => {
    const tree = createCgroups('0::/a/b\n', V2_MOUNT, {
      [`${V2}/a/cpu.max`]: '50000 100000\n',
      [`${V2}/a/cpu.stat`]: usageV2(20),
      [`${V2}/a/b/cpu.max`]: '400000 100000\n',
      [`${V2}/a/b/cpu.stat`]: usageV2(10),
    });
    expect(findLimit(tree)).toEqual({ directory: `${V2}/a`, cpus: 0.5, usageS: 20 });
  });

  it('a container with a namespace of its own is the topmost that it sees', () => {
    const tree = createCgroups('0::/\n', V2_MOUNT, {
      [`${V2}/cpu.max`]: '200000 100000\n',
      [`${V2}/cpu.stat`]: usageV2(30),
    });
    expect(findLimit(tree)).toEqual({ directory: V2, cpus: 2, usageS: 30 });
  });

  it('without a quota the topmost counts', () => {
    const tree = createCgroups('0::/user.slice\n', V2_MOUNT, {
      [`${V2}/cpu.stat`]: usageV2(1000),
      [`${V2}/user.slice/cpu.max`]: 'max 100000\n',
      [`${V2}/user.slice/cpu.stat`]: usageV2(5),
    });
    expect(findLimit(tree)).toEqual({ directory: V2, cpus: Infinity, usageS: 1000 });
  });
});

describe('findCgroupLimit, version 1', () => {
  const MEMBERSHIP = '9:name=systemd:/\n2:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n';

  it('a quota is microseconds of a period, the use nanoseconds', () => {
    const tree = createCgroups(MEMBERSHIP, V1_MOUNTS, {
      [`${V1}/cpu.cfs_quota_us`]: '-1\n',
      [`${V1}/cpu.cfs_period_us`]: '100000\n',
      [`${V1}/cpuacct.usage`]: usageV1(1000),
      [`${V1}/docker/abc/cpu.cfs_quota_us`]: '25000\n',
      [`${V1}/docker/abc/cpu.cfs_period_us`]: '50000\n',
      [`${V1}/docker/abc/cpuacct.usage`]: usageV1(7),
    });
    expect(findLimit(tree)).toEqual({ directory: `${V1}/docker/abc`, cpus: 0.5, usageS: 7 });
  });

  it('a container that sees its own cgroup as the mount reads it there', () => {
    const mount = `32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n`;
    const tree = createCgroups(MEMBERSHIP, mount, {
      [`${V1}/cpu.cfs_quota_us`]: '300000\n',
      [`${V1}/cpu.cfs_period_us`]: '100000\n',
      [`${V1}/cpuacct.usage`]: usageV1(9),
    });
    expect(findLimit(tree)).toEqual({ directory: V1, cpus: 3, usageS: 9 });
  });

  it('two hierarchies: the limit in one, the use in the other', () => {
    const mounts = [
      '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu',
      '33 31 0:30 / /sys/fs/cgroup/with\\040blank rw - cgroup cgroup rw,cpuacct',
      '',
    ].join('\n');
    const tree = createCgroups('2:cpuacct:/x\n1:cpu:/x\n', mounts, {
      'sys/fs/cgroup/cpu/x/cpu.cfs_quota_us': '100000\n',
      'sys/fs/cgroup/cpu/x/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/with blank/x/cpuacct.usage': usageV1(3),
    });
    expect(findLimit(tree)).toEqual({ directory: 'sys/fs/cgroup/with blank/x', cpus: 1, usageS: 3 });
  });

  it.each<[string, string, string]>([
    ['no cgroup at all', '', V2_MOUNT],
    ['no mount', '0::/\n', ''],
    ['no cpu time', '0::/\n', V2_MOUNT],
  ])('%s is an error with a sentence', (_title, cgroup, mountinfo) => {
    expect(() => findLimit(createCgroups(cgroup, mountinfo, {}))).toThrow(/cgroup/);
  });
});

function lookAt(now: number): MachineSample {
  return {
    now,
    cpus: 4,
    cpuPercent: 50,
    memoryPercent: 10,
    memoryBytes: 1e9,
    psiPercent: undefined,
    loadAverage1: 1,
    activeTasks: 1,
  };
}

async function read(ratioOf: RatioOf, now: number): Promise<readonly LoadRatio[]> {
  return await lastValueFrom(ratioOf(lookAt(now)).pipe(toArray()));
}

describe('createCgroupRatio', () => {
  const one = { [`${V2}/cpu.max`]: '200000 100000\n', [`${V2}/cpu.stat`]: usageV2(100) };

  it('what was used since the look before, per cpu of the quota', async () => {
    const tree = createCgroups('0::/\n', V2_MOUNT, one);
    const ratioOf = createCgroupRatio(dirsOf(tree), undefined);
    expect(await read(ratioOf, 1_000)).toEqual([]);
    tree.write({ [`${V2}/cpu.stat`]: usageV2(103) });
    expect(await read(ratioOf, 3_000)).toEqual([{ ratio: 0.75, cpus: 2 }]);
    tree.write({ [`${V2}/cpu.max`]: '600000 100000\n', [`${V2}/cpu.stat`]: usageV2(107) });
    // A quota of more cpus than the machine has limits nothing.
    expect(await read(ratioOf, 5_000)).toEqual([{ ratio: 0.5, cpus: 4 }]);
  });

  it('given cpus stand above the quota', async () => {
    const tree = createCgroups('0::/\n', V2_MOUNT, one);
    const ratioOf = createCgroupRatio(dirsOf(tree), 1);
    await read(ratioOf, 0);
    tree.write({ [`${V2}/cpu.stat`]: usageV2(101) });
    expect(await read(ratioOf, 1_000)).toEqual([{ ratio: 1, cpus: 1 }]);
  });

  it('when another level becomes the limit, one look passes', async () => {
    const tree = createCgroups('0::/a\n', V2_MOUNT, { ...one, [`${V2}/a/cpu.stat`]: usageV2(5) });
    const ratioOf = createCgroupRatio(dirsOf(tree), undefined);
    await read(ratioOf, 0);
    tree.write({ [`${V2}/a/cpu.max`]: '100000 100000\n' });
    expect(await read(ratioOf, 1_000)).toEqual([]);
    tree.write({ [`${V2}/a/cpu.stat`]: usageV2(5.25) });
    expect(await read(ratioOf, 2_000)).toEqual([{ ratio: 0.25, cpus: 1 }]);
  });
});
