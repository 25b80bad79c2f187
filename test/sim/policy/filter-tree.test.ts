/** The filter tree finds the same subscribers as matching each filter. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFilterTree } from '../../../src/sim/policy/filter-tree.js';
import { fits } from '../../../src/sim/parts/sim-broker.js';

const word = fc.constantFrom('a', 'b', 'c');
const topic = fc.array(word, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '+'), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'));

it('a topic finds exactly the filters that match it, until they are removed', () => {
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
