import { describe, expect, it } from 'vitest';
import { parseBenchArguments } from '../../bench/arguments.js';

const NAMES = ['dispatch', 'agent', 'peers'];
const parse = (...argv: string[]): unknown => parseBenchArguments(argv, NAMES, ['peers']);

describe('the arguments of the benchmarks', () => {
  it('name nothing: all run that need no request', () => {
    expect(parse()).toEqual({ chosen: ['dispatch', 'agent'], asJson: false });
  });

  it('name benchmarks in the order in which they run, each once, with --json anywhere', () => {
    expect(parse('peers', '--json', 'agent', 'peers')).toEqual({ chosen: ['peers', 'agent'], asJson: true });
  });

  it('name an unknown benchmark: the choices are listed', () => {
    expect(parse('agent', 'unknown')).toEqual({
      fault: 'unknown benchmark unknown: must be one of dispatch, agent, peers',
    });
  });

  it.each([
    ['--fast', 'unknown option --fast: must be --json'],
    ['-j', 'unknown option -j: must be --json'],
    ['--json=yes', '--json takes no value, but has yes'],
  ])('have the wrong option %s', (option, fault) => {
    expect(parse(option)).toEqual({ fault });
  });
});
