/** The command line as the thin path reads it: what it knows, and what it leaves to commander. */
import { describe, expect, it } from 'vitest';
import { readThinCommand } from '../../../src/cli/thin/read-command.js';

function read(text: string): ReturnType<typeof readThinCommand> {
  return readThinCommand(text.split(' '));
}

describe('a command line that the thin path knows', () => {
  it.each([
    ['run true', { kind: 'run', argv: ['true'], flags: {}, node: {} }],
    ['run -- sh -c -- x', { argv: ['sh', '-c', '--', 'x'] }],
    ['defer --name=a --cpus 2 -- true', { kind: 'defer', flags: { name: 'a', cpus: '2' } }],
    ['run --env A=1 --env=B=2 --label gpu -- true', { flags: { env: ['A=1', 'B=2'], label: ['gpu'] } }],
    ['run -v --here --no-wait -- true', { flags: { verbose: true, here: true, wait: false } }],
    ['run --no-wait --wait -- true', { flags: { wait: true } }],
    [
      'run --id a --base b --state-dir /s --broker=mqtt://h -- true',
      {
        node: { id: 'a', base: 'b', stateDir: '/s', broker: 'mqtt://h' },
      },
    ],
    // Flags of the program are not ours.
    ['run --name a sh --name b -v', { argv: ['sh', '--name', 'b', '-v'], flags: { name: 'a' } }],
  ])('is read: %s', (text, expected) => {
    expect(read(text)).toMatchObject(expected);
  });
});

describe('a command line that is left to the whole program', () => {
  it.each([
    'status',
    '--version',
    'run',
    'run --',
    'run --help',
    'run --json -- true',
    'run --in file -- true',
    'run --stdin=file -- true',
    'run --config=file -- true',
    'run --nam a -- true',
    'run --name -- true',
    'run --name= -- true',
    'run --cpus -1 -- true',
    'run --here=yes -- true',
    'run -vv -- true',
    'run - true',
    'run sh -- true',
  ])('is not read: %s', (text) => {
    expect(read(text)).toBeUndefined();
  });
});
