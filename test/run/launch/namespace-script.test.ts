import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatNamespaceScript,
  readNamespaceHead,
  type NamespaceScript,
} from '../../../src/run/launch/namespace-script.js';

const SCRIPT: NamespaceScript = {
  namespace: { kind: 'started', root: 1000, knownAs: '/a b', cpuS: 1.5, wallMs: 7 },
  input: '/dev/null',
  argv: ['printf', '%s'],
  environment: {},
};

function readBack(text: string): ReturnType<typeof readNamespaceHead> {
  const directory = mkdtempSync(join(tmpdir(), 'tritmesh-script-'));
  try {
    writeFileSync(join(directory, 'order'), text);
    return readNamespaceHead(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the script of a pid namespace', () => {
  it('gives its head back, whatever its values hold', () => {
    const script = { ...SCRIPT, input: "x'\n# {}\n", environment: { A: '\n# {"kind":"restored"}\n' } };
    expect(readBack(formatNamespaceScript(script))).toEqual(SCRIPT.namespace);
  });

  it.each(['', '# {"kind":"star', '# {"kind":\n', "launcher='42 7@ab'\n"])('gives none of a torn one: %j', (text) => {
    expect(readBack(text)).toBeUndefined();
  });

  it('is read by a shell as it was meant', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !value.includes('\0'));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), text, (args, value) => {
        const argv = ['sh', '-c', 'printf "%s\\0" "$A" "$@"', 'sh', ...args];
        const script = `${formatNamespaceScript({ ...SCRIPT, argv, environment: { A: value } })}begin "$@"`;
        const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
        expect(output).toBe([value, ...args, ''].join('\0'));
      }),
      { numRuns: 30 },
    );
  });
});
