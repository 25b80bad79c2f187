import { describe, expect, it } from 'vitest';
import { explainScum, scoreItems } from '../../../src/cli/render/scum.js';
import type { MemberSeen } from '../../../src/observe/mesh-model.js';
import type { ScumItem } from '../../../src/protocol/messages.js';

const burner: ScumItem = {
  pid: 42,
  name: 'burner',
  score: 0.314,
  cpu_percent: 50,
  memory_percent: 4,
  age_s: 4320,
  action: 'throttle',
  movable: false,
  acts: true,
  why: 'rule any:name=burner',
  throttled_percent: 50,
  throttled_by: 'cgroup-v1',
};

function member(items: readonly ScumItem[], more: object = {}): MemberSeen {
  return {
    id: 'alpha',
    online: true,
    info: undefined,
    state: undefined,
    scum: { count: items.length, items, ...more },
    last_seen: null,
    gone: false,
  };
}

describe('the explanation of heavy processes', () => {
  it('shows the terms, the action, the throttle and the reason', () => {
    expect(
      explainScum(member([burner]), 200)
        .trimEnd()
        .split('\n'),
    ).toEqual([
      'pid  name    score   cpu  memory   age  action    acts  throttle                   why',
      ' 42  burner   0.31  0.30    0.01  0.01  throttle  yes   50 % of a core, cgroup-v1  rule any:name=burner',
    ]);
  });

  it('shows terms that add up to the score, by either formula', () => {
    for (const formula of ['clamped', 'seed'] as const) {
      const [item] = scoreItems({ count: 1, items: [{ ...burner, cpu_percent: 250 }], formula });
      expect(item?.terms.cpu).toBe(formula === 'seed' ? 1.5 : 0.6);
    }
    const [{ terms } = { terms: { cpu: 0, memory: 0, age: 0 } }] = scoreItems({ count: 1, items: [burner] });
    expect(terms.cpu + terms.memory + terms.age).toBeCloseTo(burner.score, 2);
  });

  it('shows a process without a reason, and no control characters from others', () => {
    const { acts: _acts, why: _why, ...old } = burner;
    expect(explainScum(member([old]), 40)).toContain('no reason given');
    expect(explainScum(member([{ ...burner, why: 'a\u001b[2J' }]), 200)).not.toContain('\u001b');
    expect(explainScum(member([]), 40)).toBe('alpha: no process scores above 0.35\n');
  });
});
