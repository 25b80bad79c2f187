/**
 * What the cpu of this machine can, as abilities: a program that chose fast code for one cpu stops on another that
 * lacks it, so an image goes only where the cpu can as much.
 */
import { createHash } from 'node:crypto';

/** Flags of /proc/cpuinfo that each level of x86-64 adds. */
const LEVELS: readonly (readonly string[])[] = [
  ['cmov', 'cx8', 'fpu', 'fxsr', 'mmx', 'sse2'],
  ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3'],
  ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'],
  ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
];

/** Names the levels up to the cpu's own, and all its flags by a hash. */
export function nameCpuAbilities(cpuinfo: string, arch: string): readonly string[] {
  const text = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1];
  if (text === undefined) return [];
  const flags = new Set(text.trim().split(/\s+/));
  const hash = createHash('sha256')
    .update([...flags].toSorted().join(' '))
    .digest('hex')
    .slice(0, 8);
  return [...(arch === 'x64' ? listLevels(flags) : []), `cpu-flags-${hash}`];
}

function listLevels(flags: ReadonlySet<string>): readonly string[] {
  const missed = LEVELS.findIndex((level) => level.some((flag) => !flags.has(flag)));
  const level = missed === -1 ? LEVELS.length : missed;
  return LEVELS.slice(0, level).map((_flags, index) => `cpu-x86-64-v${index + 1}`);
}
