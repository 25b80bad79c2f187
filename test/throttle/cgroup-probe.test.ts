/** The probes of both cgroup versions where their files cannot be read: the method is not available, and nothing throws. */
import { expect, it } from 'vitest';
import type { CgroupFiles } from '../../src/throttle/cgroup-files.js';
import { createCgroupV1 } from '../../src/throttle/cgroup-v1.js';
import { createCgroupV2 } from '../../src/throttle/cgroup-v2.js';

/** Both versions are mounted; nothing else is there, except the cgroup of this process if `own` is given. */
function createBareFiles(own?: string): CgroupFiles {
  const fail = (path: string): never => {
    throw new Error(`EACCES: ${path}`);
  };
  const mounts = [
    '30 20 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu',
    '31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  ];
  return {
    read: (path) => {
      if (path === '/proc/self/mountinfo') return `${mounts.join('\n')}\n`;
      if (path === '/proc/self/cgroup') return own;
      return path.endsWith('/cgroup.subtree_control') ? 'cpu' : undefined;
    },
    write: fail,
    exists: () => false,
    make: fail,
    remove: fail,
    tryMember: () => undefined,
  };
}

it.each([
  ['1', createCgroupV1],
  ['2', createCgroupV2],
])('version %s is not available where the cgroup of this process cannot be read', (_version, create) => {
  expect(create(createBareFiles(), 'alpha').probe()).toBe('it has no cgroup that can be read');
});

it.each([
  ['1', createCgroupV1, '4:cpu,cpuacct:/a\n'],
  ['2', createCgroupV2, '0::/a\n'],
])('version %s is not available where no cgroup can be created', (_version, create, own) => {
  expect(create(createBareFiles(own), 'alpha').probe()).toMatch(/^EACCES: /);
});
