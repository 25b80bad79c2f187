/**
 * Describes what this machine's cpu supports, as abilities. A program that selected fast code for one cpu crashes on
 * another that lacks the instructions, so an image must only go where the cpu supports as much.
 */
import { createHash } from 'node:crypto';

/** Flags in /proc/cpuinfo that each level of x86-64, v1 to v4, adds. */
const LEVELS: readonly (readonly string[])[] = [
  ['cmov', 'cx8', 'fpu', 'fxsr', 'mmx', 'sse2'],
  ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3'],
  ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'],
  ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
];

/**
 * Returns the x86-64 levels up to the cpu's own, and a hash of all its flags; empty when `cpuinfo`, the text of
 * /proc/cpuinfo, lists no flags. `arch`: as in `process.arch`.
 */
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
