import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readBuildId } from '../../src/checkpoint/build-id.js';
import { nameCpuAbilities } from '../../src/checkpoint/cpu-level.js';
import { isAtLeast } from '../../src/checkpoint/capabilities.js';
import { isThere } from '../support/counters.js';

describe('versions', () => {
  it.each([
    ['4.2', '4.2', true],
    ['4.2.1', '4.2', true],
    ['4.10', '4.2', true],
    ['5', '4.2', true],
    ['4.1.1', '4.2', false],
    ['3.17', '4.2', false],
  ])('%s is at least %s: %s', (version, least, isSo) => {
    expect(isAtLeast(version, least)).toBe(isSo);
  });
});

describe('cpu abilities', () => {
  const V2 = 'fpu cx8 cmov fxsr mmx sse2 cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3';
  it('name each level up to the own, and all flags whatever their order', () => {
    const names = nameCpuAbilities(`processor\t: 0\nflags\t\t: ${V2} avx\n`, 'x64');
    expect(names.slice(0, -1)).toEqual(['cpu-x86-64-v1', 'cpu-x86-64-v2']);
    expect(names.at(-1)).toMatch(/^cpu-flags-[0-9a-f]{8}$/);
    expect(nameCpuAbilities(`flags : avx ${V2}`, 'x64')).toEqual(names);
    expect(nameCpuAbilities(`flags : ${V2}`, 'x64').at(-1)).not.toBe(names.at(-1));
  });

  it('are none where the kernel tells nothing, and only flags on other cpus', () => {
    expect(nameCpuAbilities('', 'x64')).toEqual([]);
    expect(nameCpuAbilities('Features\t: fp asimd\n', 'arm64')).toEqual([expect.stringMatching(/^cpu-flags-/)]);
  });
});

describe('a build id', () => {
  // Not of any program: readelf also finds one that is in no segment, where criu does not look.
  it.skipIf(!isThere('readelf', '--version'))('is what readelf says', () => {
    const programs = ['sh', 'ls', 'cat', 'sort', 'sleep', 'tar', 'env'].map((name) => findProgram(name));
    const told = [...programs, process.execPath].map(readElf);
    expect([...programs, process.execPath].map(readBuildId)).toEqual(told);
    expect(told.filter((id) => id !== null).length).toBeGreaterThan(5);
  });

  it('is none of what is no program', () => {
    expect([readBuildId('/etc/passwd'), readBuildId('/dev/null'), readBuildId('/no/such')]).toEqual([null, null, null]);
  });
});

function findProgram(name: string): string {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
}

function readElf(path: string): string | null {
  try {
    const text = execFileSync('readelf', ['-n', path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return /Build ID: ([0-9a-f]+)/.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}
