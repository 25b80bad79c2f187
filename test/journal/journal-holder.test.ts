/** Finds the holder of a lock in the kernel's list of locks. */
import { expect, it } from 'vitest';
import { findLockHolder } from '../../src/journal/journal-holder.js';

const LOCKS = `1: POSIX  ADVISORY  WRITE 4711 08:01:131 0 EOF
1: -> POSIX  ADVISORY  WRITE 99 08:01:132 0 EOF
2: FLOCK  ADVISORY  WRITE 812 00:18:1311 0 EOF
3: POSIX  ADVISORY  READ 5 08:01:77 0 EOF
4: POSIX  ADVISORY  WRITE -1 08:01:78 0 EOF
`;

it('finds the process that holds the write lock, and no other', () => {
  expect(findLockHolder(LOCKS, 131)).toBe(4711);
  expect(findLockHolder(LOCKS, 1311)).toBe(812);
});

it('finds nobody for a file that has no lock, or whose holder is not visible from here', () => {
  expect([13, 77, 78].map((inode) => findLockHolder(LOCKS, inode))).toEqual([undefined, undefined, undefined]);
  expect(findLockHolder('', 1)).toBeUndefined();
});
