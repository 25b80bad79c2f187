import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMetric, parseRatio, type Metric } from '../../src/sense/metric.js';

describe('parseMetric', () => {
  it.each<[string, Metric]>([
    ['ewma', { kind: 'ewma' }],
    ['loadavg1', { kind: 'loadavg1' }],
    ['cgroup', { kind: 'cgroup' }],
    ['tree:1234', { kind: 'tree', pid: 1234 }],
    ['tree:self', { kind: 'tree', pid: process.pid }],
    ['tree:jobs', { kind: 'tree', pid: process.pid, withoutRoot: true }],
    ['command:cut -d: -f2 /tmp/load', { kind: 'command', command: 'cut -d: -f2 /tmp/load' }],
    ['fixed:0', { kind: 'fixed', ratio: 0 }],
    ['fixed:0.95', { kind: 'fixed', ratio: 0.95 }],
    ['fixed: 1e-1', { kind: 'fixed', ratio: 0.1 }],
  ])('%s is a metric', (text, metric) => {
    expect(parseMetric(text)).toEqual({ ok: true, metric });
  });

  it.each<[string, RegExp]>([
    ['', /^must be ewma, .* not ""$/],
    ['load', /^must be ewma, .* not "load"$/],
    ['EWMA', /not "EWMA"$/],
    ['cpu:3', /not "cpu"$/],
    ['ewma:20', /^ewma takes no value$/],
    ['tree', /^tree needs a pid/],
    ['tree:', /^tree needs a pid/],
    ['tree:0', /^tree needs a pid/],
    ['tree:-5', /^tree needs a pid/],
    ['tree:1e3', /^tree needs a pid/],
    ['command', /^command needs a program/],
    ['command:  ', /^command needs a program/],
    ['fixed', /^fixed needs a ratio/],
    ['fixed:', /^fixed needs a number/],
    ['fixed:-1', /^fixed needs a number/],
    ['fixed:NaN', /^fixed needs a number/],
    ['fixed:Infinity', /^fixed needs a number/],
    ['fixed:0x10', /^fixed needs a number/],
    ['fixed:1000001', /^fixed needs a number/],
  ])('"%s" is refused with its reason', (text, reason) => {
    expect(parseMetric(text)).toEqual({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('property: whatever the text, there is an answer', () => {
    const forms = fc.constantFrom('', 'ewma', 'tree:', 'command:', 'fixed:');
    fc.assert(
      fc.property(forms, fc.string(), (form, rest) => {
        const parsed = parseMetric(form + rest);
        if (parsed.ok && parsed.metric.kind === 'fixed') expect(parsed.metric.ratio).toBeGreaterThanOrEqual(0);
        if (!parsed.ok) expect(parsed.reason.length).toBeGreaterThan(0);
      }),
    );
  });

  it('property: a ratio that is printed reads back', () => {
    const ratio = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(fc.property(ratio, (one) => parseRatio(String(one)) === one));
  });
});
