/** Amounts of disk as people write them. */
import { describe, expect, it } from 'vitest';
import { findAmountFault, findReserveFault, parseAmount, parseReserve } from '../../src/config/amount.js';
import { amountOf } from '../../src/core/disk/disk-space.js';

const MIB = 1024 ** 2;
const whole = 100 * 1024 * MIB;

describe('an amount', () => {
  it.each([
    ['512M', 512 * MIB],
    ['512 MiB', 512 * MIB],
    ['1.5g', 1536 * MIB],
    ['4096', 4096],
    ['0', 0],
    ['10%', whole / 10],
    ['0.5 %', whole / 200],
    ['2T', whole],
  ])('%s is %i bytes of a disk of 100 GiB', (text, bytes) => {
    const amount = parseAmount(text);
    expect(amount === undefined ? undefined : amountOf(amount, whole)).toBe(bytes);
  });

  it.each(['', 'auto', '-1', '101%', '5 apples', '1e3', '%', '99999999999T'])('"%s" is not an amount', (text) => {
    expect(parseAmount(text)).toBeUndefined();
    expect(findAmountFault(text)).toBe('must be a size such as 512M or a share such as 10%');
  });
});

describe('a reserve', () => {
  it('the reserve auto is 1 GiB of a large disk and 5% of a small one', () => {
    const auto = parseReserve('auto');
    expect(auto === undefined ? [] : [amountOf(auto, whole), amountOf(auto, 100 * MIB)]).toEqual([1024 * MIB, 5 * MIB]);
    expect(findReserveFault('auto')).toBeUndefined();
    expect(findReserveFault('lots')).toBe('must be auto, a size such as 512M or a share such as 5%');
  });
});
