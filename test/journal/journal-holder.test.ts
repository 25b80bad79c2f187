/** Who holds a lock, from what the kernel lists. */
import { expect, it } from 'vitest';
import { findHolder } from '../../src/journal/journal-holder.js';

const LOCKS = `1: POSIX  ADVISORY  WRITE 4711 08:01:131 0 EOF
1: -> POSIX  ADVISORY  WRITE 99 08:01:132 0 EOF
2: FLOCK  ADVISORY  WRITE 812 00:18:1311 0 EOF
3: POSIX  ADVISORY  READ 5 08:01:77 0 EOF
4: POSIX  ADVISORY  WRITE -1 08:01:78 0 EOF
`;

it('finds the process that writes under the lock, and no other', () => {
  expect(findHolder(LOCKS, 131)).toBe(4711);
  expect(findHolder(LOCKS, 1311)).toBe(812);
});

it('finds nobody for a file that nobody holds, or whose holder is not seen from here', () => {
  expect([13, 77, 78].map((inode) => findHolder(LOCKS, inode))).toEqual([undefined, undefined, undefined]);
  expect(findHolder('', 1)).toBeUndefined();
});
