import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLaunchScript, parseLaunchHead, type LaunchScript } from '../../../src/run/launch/launch-script.js';

const ORDER: LaunchScript = {
  handle: { pid: 42, start: '1234@abcdef01' },
  limit: 5000,
  lease: 4000,
  at: 777,
  input: '/dev/null',
  fault: undefined,
  argv: ['printf', '%s'],
  environment: {},
};

describe('the order', () => {
  it('gives its head back, whatever its values hold', () => {
    const order = { ...ORDER, input: "x'\nlimit=1\n", environment: { A: "\nlauncher='1 2'\nlimit=3\n" } };
    expect(parseLaunchHead(formatLaunchScript(order))).toEqual({ handle: ORDER.handle, limit: 5000, at: 777 });
  });

  it.each(['', "launcher='42 x'\n", "launcher='42 x'\nlimit=5\nlease=4\nat=", 'limit=1\n'])(
    'gives none of a torn one: %j',
    (text) => {
      expect(parseLaunchHead(text)).toBeUndefined();
    },
  );

  it('is read as a node before this one wrote it', () => {
    const text = "launcher='42 7@ab'\nlimit=5000\ndeadline=4000\ninput='/dev/null'\n";
    expect(parseLaunchHead(text)).toEqual({ handle: { pid: 42, start: '7@ab' }, limit: 5000, at: undefined });
  });

  it('is read by a shell as it was meant', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), text, (args, value) => {
        const argv = ['sh', '-c', 'printf "%s\\0" "$A" "$@"', 'sh', ...args];
        const script = `${formatLaunchScript({ ...ORDER, argv, environment: { A: value } })}begin "$@"`;
        const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
        expect(output).toBe([value, ...args, ''].join('\0'));
      }),
      { numRuns: 30 },
    );
  });
});
