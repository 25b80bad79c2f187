/** The tree of filters finds whom the filters themselves fit. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFilterTree } from '../../../src/sim/policy/filter-tree.js';
import { fits } from '../../../src/sim/sim-broker.js';

const word = fc.constantFrom('a', 'b', 'c');
const topic = fc.array(word, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '+'), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));

test('a topic finds just the filters that fit it, until they are removed', () => {
  fc.assert(
    fc.property(fc.uniqueArray(filter, { maxLength: 8 }), topic, (filters, one) => {
      const tree = createFilterTree<string>();
      for (const each of filters) tree.add(each, each);
      const expected = filters.filter((each) => fits(each, one)).toSorted();
      expect(
        tree
          .find(one)
          .flatMap((group) => [...group])
          .toSorted(),
      ).toEqual(expected);
      for (const each of filters) tree.remove(each);
      expect(tree.find(one)).toEqual([]);
    }),
  );
});
