/** A Redis of its own, which keeps nothing on disk. */
import { findFreePort } from '../setup/brokers.js';
import { startProgram } from '../setup/program.js';
import type { Scratch } from '../setup/scratch.js';

/** Starts it on the loopback; returns its port. */
export async function startRedis(scratch: Scratch): Promise<number> {
  const port = await findFreePort();
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', scratch.directory];
  await startProgram(scratch, ['redis-server', ...flags], /Ready to accept connections/);
  return port;
}
