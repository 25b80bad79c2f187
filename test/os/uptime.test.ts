/** How long the machine runs. */
import { uptime } from 'node:os';
import { expect, it } from 'vitest';
import { readUptimeMs } from '../../src/os/uptime.js';

it.skipIf(process.platform !== 'linux')('is what Node.js says, too', () => {
  expect(Math.abs(readUptimeMs() / 1000 - uptime())).toBeLessThan(60);
});
