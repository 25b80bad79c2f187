import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideAction,
  listScum,
  SCUM_THRESHOLD,
  scoreProcess,
  type ScumAction,
  type ScumFormula,
  type ScumProcess,
  type ScumReading,
} from '../../../src/core/processes/scum.js';
import type { Trit } from '../../../src/protocol/messages.js';

const reading = fc.record({
  cpuPercent: fc.double({ min: 0, max: 6_400, noNaN: true }),
  memoryPercent: fc.double({ min: 0, max: 100, noNaN: true }),
  ageS: fc.double({ min: 0, max: 1e9, noNaN: true }),
});
const formulas: readonly ScumFormula[] = ['clamped', 'seed'];
const HOUR_S = 3_600;

function process(pid: number, cpuPercent: number, more: Partial<ScumProcess> = {}): ScumProcess {
  return { pid, name: `p${pid}`, cpuPercent, memoryPercent: 0, ageS: 0, ...more };
}

function noOwner(): undefined {
  return undefined;
}

describe('scoreProcess', () => {
  it.each<[string, ScumReading, ScumFormula, number]>([
    ['one full core scores 0.6', { cpuPercent: 100, memoryPercent: 0, ageS: 0 }, 'clamped', 0.6],
    ['four full cores score no more', { cpuPercent: 400, memoryPercent: 0, ageS: 0 }, 'clamped', 0.6],
    ['by the seed four full cores score 2.4', { cpuPercent: 400, memoryPercent: 0, ageS: 0 }, 'seed', 2.4],
    ['all memory scores 0.3', { cpuPercent: 0, memoryPercent: 100, ageS: 0 }, 'clamped', 0.3],
    ['a day of age scores 0.1', { cpuPercent: 0, memoryPercent: 0, ageS: 24 * HOUR_S }, 'clamped', 0.1],
    ['a year of age scores no more', { cpuPercent: 0, memoryPercent: 0, ageS: 365 * 24 * HOUR_S }, 'clamped', 0.1],
    ['by the seed 84 hours of age score 0.35', { cpuPercent: 0, memoryPercent: 0, ageS: 84 * HOUR_S }, 'seed', 0.35],
    ['all of everything scores 1', { cpuPercent: 100, memoryPercent: 100, ageS: 24 * HOUR_S }, 'clamped', 1],
    ['what cannot be read counts as nothing', { cpuPercent: NaN, memoryPercent: -5, ageS: Infinity }, 'seed', 0],
  ])('%s', (_title, input, formula, score) => {
    expect(scoreProcess(input, formula)).toBeCloseTo(score, 10);
  });

  it('property: the clamped score is within 0 and 1', () => {
    const wild = fc.record({ cpuPercent: fc.double(), memoryPercent: fc.double(), ageS: fc.double() });
    fc.assert(
      fc.property(wild, (input) => {
        const score = scoreProcess(input, 'clamped');
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('property: more of anything never lowers the score', () => {
    fc.assert(
      fc.property(reading, reading, fc.constantFrom(...formulas), (one, more, formula) => {
        const sum = {
          cpuPercent: one.cpuPercent + more.cpuPercent,
          memoryPercent: one.memoryPercent + more.memoryPercent,
          ageS: one.ageS + more.ageS,
        };
        expect(scoreProcess(sum, formula)).toBeGreaterThanOrEqual(scoreProcess(one, formula));
      }),
    );
  });

  it('property: under 5 % cpu and 5 % memory nothing is SCUM, whatever its age', () => {
    const quiet = fc.record({
      cpuPercent: fc.double({ min: 0, max: 5, noNaN: true }),
      memoryPercent: fc.double({ min: 0, max: 5, noNaN: true }),
      ageS: fc.double({ min: 0, noNaN: true }),
    });
    fc.assert(fc.property(quiet, (input) => scoreProcess(input, 'clamped') <= SCUM_THRESHOLD));
  });
});

describe('decideAction', () => {
  it.each<[string, number, Trit, ScumAction]>([
    ['SCUM on a PLUS node migrates', 0.36, 1, 'migrate'],
    ['SCUM on an ERGODIC node is throttled', 0.36, 0, 'throttle'],
    ['SCUM on a MINUS node is allowed', 0.36, -1, 'allow'],
    ['exactly 0.35 is no SCUM on a PLUS node', 0.35, 1, 'none'],
    ['exactly 0.35 is no SCUM on an ERGODIC node', 0.35, 0, 'none'],
    ['exactly 0.35 is no SCUM on a MINUS node', 0.35, -1, 'none'],
    ['a score that is no number asks for nothing', NaN, 1, 'none'],
  ])('%s', (_title, score, trit, action) => {
    expect(decideAction(score, trit)).toBe(action);
  });
});

describe('listScum', () => {
  it('an idle machine has no SCUM', () => {
    expect(listScum([process(1, 3)], 1, 'clamped', noOwner)).toEqual({ count: 0, items: [] });
    expect(listScum([], 1, 'clamped', noOwner)).toEqual({ count: 0, items: [] });
  });

  it('twelve are counted, the ten heaviest are listed, ties by pid', () => {
    const all = [...Array.from({ length: 11 }, (_, index) => process(30 - index, 90)), process(99, 95), process(5, 10)];
    const scum = listScum(all, 0, 'clamped', noOwner);
    expect(scum.count).toBe(12);
    expect(scum.items.map((item) => item.pid)).toEqual([99, 20, 21, 22, 23, 24, 25, 26, 27, 28]);
  });

  it('a process of an item names it and says whether it can move', () => {
    const all = [process(7, 98.76, { memoryPercent: 1.234, ageS: 59.7, name: 'x'.repeat(80) }), process(8, 70)];
    const scum = listScum(all, 1, 'clamped', (pid) => (pid === 7 ? { item: 'k3f9', movable: true } : undefined));
    expect(scum.items).toEqual([
      {
        pid: 7,
        name: 'x'.repeat(64),
        score: 0.596,
        cpu_percent: 98.8,
        memory_percent: 1.2,
        age_s: 60,
        action: 'migrate',
        movable: true,
        item: 'k3f9',
      },
      {
        pid: 8,
        name: 'p8',
        score: 0.42,
        cpu_percent: 70,
        memory_percent: 0,
        age_s: 0,
        action: 'migrate',
        movable: false,
      },
    ]);
  });

  it('by the seed formula an old daemon is SCUM', () => {
    const daemon = process(1, 0, { ageS: 85 * HOUR_S });
    expect(listScum([daemon], -1, 'seed', noOwner).items[0]?.action).toBe('allow');
    expect(listScum([daemon], -1, 'clamped', noOwner).count).toBe(0);
  });
});
