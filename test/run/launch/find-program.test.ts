import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findInputFault, findProgram } from '../../../src/run/launch/find-program.js';
import { temporaryDirectories } from '../../support/temporary-directory.js';

const newDirectory = temporaryDirectories();

describe('a program', () => {
  it('is found behind directories of PATH that cannot be looked into', () => {
    const directory = newDirectory();
    const [circle, closed, good] = ['circle', 'closed', 'good'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    symlinkSync(circle, circle);
    mkdirSync(closed);
    mkdirSync(good);
    writeFileSync(join(good, 'tool'), '', { mode: 0o755 });
    // Root may look everywhere; everybody else meets EACCES here.
    chmodSync(closed, 0o000);
    const path = [circle, closed, '/dev/null', good].join(':');
    expect(findProgram('tool', path, directory)).toEqual({ path: join(good, 'tool') });
    expect(findProgram('other', path, directory)).toMatchObject({ fault: { exitCode: 127 } });
    expect(findProgram('./circle/tool', path, directory)).toMatchObject({ fault: { exitCode: 127 } });
    expect(findInputFault('circle/tool', directory)).toMatchObject({ exitCode: 126 });
    chmodSync(closed, 0o755);
  });
});
