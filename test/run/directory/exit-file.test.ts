import { describe, expect, it } from 'vitest';
import { nameSignal, parseExitFile } from '../../../src/run/directory/exit-file.js';

describe('parseExitFile', () => {
  it.each([
    ['dash', '7\n0m0.000000s 0m0.010000s\n0m1.500000s 0m0.250000s\nend\n', { exitCode: 7, signal: null, cpuS: 1.75 }],
    ['bash', '143\n0m0.001s 0m0.002s\n2m0.500s 0m0.000s\nend\n', { exitCode: 143, signal: 'SIGTERM', cpuS: 120.5 }],
    ['a launcher over white space', '0\n0m0s 0m0s\n0m0s 0m0s\nend\n\n\n', { exitCode: 0, signal: null, cpuS: 0 }],
    ['a comma', '0\n0m0,00s 0m0,00s\n0m0,25s 0m0,00s\nend\n', { exitCode: 0, signal: null, cpuS: 0.25 }],
  ])('reads what %s writes', (_title, text, exit) => {
    expect(parseExitFile(text)).toEqual(exit);
  });

  it.each([
    '',
    '\n\n\n\n',
    '7\n',
    '7\n0m0.0s 0m0.0s\n0m0.0s 0m0.0s\n',
    '7\n0m0.0s 0m0.0s\n0m0.0s 0m0.0s\nen',
    'x\na b\na b\nend\n',
  ])('gives nothing for a file that is not whole: %j', (text) => {
    expect(parseExitFile(text)).toBeUndefined();
  });
});

describe('nameSignal', () => {
  it.each([
    [0, null],
    [128, null],
    [129, 'SIGHUP'],
    [130, 'SIGINT'],
    [137, 'SIGKILL'],
    [143, 'SIGTERM'],
    [255, null],
  ])('of %i is %s', (exitCode, signal) => {
    expect(nameSignal(exitCode)).toBe(signal);
  });
});
