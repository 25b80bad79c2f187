import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('../../dist/bench/bench.js', import.meta.url));

it('refuses an unknown benchmark with exit code 2, names the choices and measures nothing', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, 'unknown'], { encoding: 'utf8' });
  expect(stderr).toBe(
    'unknown benchmark unknown: must be one of dispatch, throughput, cold, agent, journal, migrate, peers, makespan\n',
  );
  expect(stdout).toBe('');
  expect(status).toBe(2);
});
