/** What was thrown: told whatever it is. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeError, errorCode, hasCode, toError } from '../../src/os/errors.js';

function catchError(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

const absent = catchError(() => readFileSync('/no/such/file'));

describe('describeError', () => {
  it.each([
    [new Error('a sentence'), 'a sentence'],
    [new TypeError(''), ''],
    ['a text', 'a text'],
    [17, '17'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ message: 'no error' }, '[object Object]'],
  ])('tells %o as %j', (thrown, text) => {
    expect(describeError(thrown)).toBe(text);
  });
});

describe('errorCode', () => {
  it('is that of the system', () => {
    expect(errorCode(absent)).toBe('ENOENT');
    expect(hasCode(absent, 'ENOTDIR', 'ENOENT')).toBe(true);
    expect(hasCode(absent, 'EACCES')).toBe(false);
  });

  it.each([
    new Error('without'),
    Object.assign(new Error('a number'), { code: 5 }),
    { code: 'ENOENT' },
    'ENOENT',
    undefined,
  ])('is none of %o', (thrown) => {
    expect(errorCode(thrown)).toBeUndefined();
    expect(hasCode(thrown, 'ENOENT')).toBe(false);
    expect(hasCode(thrown)).toBe(false);
  });
});

describe('toError', () => {
  it('keeps an error, and makes one of anything else', () => {
    const error = new TypeError('kept');
    expect(toError(error)).toBe(error);
    expect(toError('a text')).toEqual(new Error('a text'));
  });
});
