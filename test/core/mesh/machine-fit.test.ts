/** Whether a state directory is still on its machine, judged by the marks of both. */
import { expect, it } from 'vitest';
import { fitMachine, type MachineFit, type MachinePrint } from '../../../src/core/mesh/machine-fit.js';

const RECORDED: MachinePrint = { id: 'a', macs: ['02:00:00:00:00:01', '02:00:00:00:00:02'], host: 'alpha' };

it.each<[string, Partial<MachinePrint>, MachineFit]>([
  ['the same machine', {}, 'fits'],
  ['another host name', { host: 'omega' }, 'fits'],
  ['one of its cards taken out', { macs: ['02:00:00:00:00:02'] }, 'fits'],
  ['no readable network card, as in a container', { macs: [] }, 'fits'],
  ['nothing readable', { id: undefined, macs: [] }, 'fits'],
  ['its card in a new board', { macs: ['02:00:00:00:00:09'] }, 'partly'],
  ['a reinstalled system', { id: 'b' }, 'partly'],
  ['another machine', { id: 'b', macs: ['02:00:00:00:00:09'] }, 'other'],
  ['another container', { id: 'b', macs: [] }, 'other'],
])('%s', (_what, change, fit) => {
  expect(fitMachine(RECORDED, { ...RECORDED, ...change })).toBe(fit);
});

it('a machine fits if nothing was recorded', () => {
  expect(fitMachine(undefined, RECORDED)).toBe('fits');
});
