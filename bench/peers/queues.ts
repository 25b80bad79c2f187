/** BullMQ, Celery and NATS JetStream: a server, a worker with as many slots as tritmesh has, and a driver. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findFreePort } from '../setup/brokers.js';
import { startConversation } from '../setup/conversation.js';
import { findInstalled } from '../setup/find-installed.js';
import { SLOTS } from '../setup/pair.js';
import { startProgram } from '../setup/program.js';
import type { Scratch } from '../setup/scratch.js';
import { installPackages } from './install-packages.js';
import type { Peer, PeerKind } from './peer.js';
import { createQueuePeer } from './queue.js';
import { startRedis } from './redis.js';

/** The peers. */
export const BULLMQ: PeerKind = {
  name: 'BullMQ',
  programs: ['redis-server', 'npm'],
  install: 'apt-get install redis-server (npm fetches bullmq and ioredis)',
  open: async (scratch) => {
    const packages = await installPackages(scratch, ['bullmq@5', 'ioredis@5']);
    const programs = [new URL('./bullmq-worker.mjs', import.meta.url), new URL('./bullmq-driver.mjs', import.meta.url)];
    return openNodeQueue(scratch, programs, packages, await startRedis(scratch));
  },
};
export const NATS: PeerKind = {
  name: 'NATS JetStream',
  programs: ['nats-server', 'npm'],
  install: 'apt-get install nats-server (npm fetches nats)',
  open: async (scratch) => {
    const packages = await installPackages(scratch, ['nats@2']);
    const port = await findFreePort();
    const server = [findInstalled('nats-server') ?? 'nats-server', '--addr', '127.0.0.1', '--port', String(port)];
    const storage = ['--jetstream', '--store_dir', join(scratch.directory, 'nats')];
    await startProgram(scratch, [...server, ...storage], /Server is ready/);
    const programs = [new URL('./nats-worker.mjs', import.meta.url), new URL('./nats-driver.mjs', import.meta.url)];
    return openNodeQueue(scratch, programs, packages, port);
  },
};
export const CELERY: PeerKind = {
  name: 'Celery',
  programs: ['redis-server', 'python3'],
  install: 'apt-get install redis-server celery python3-celery python3-redis',
  open: openCelery,
};

/** Starts a worker and its driver, both programs of Node.js. */
async function openNodeQueue(
  scratch: Scratch,
  programs: readonly URL[],
  packages: string,
  port: number,
): Promise<Peer> {
  const [worker = [], driver = []] = programs.map((program): readonly string[] => {
    return [process.execPath, fileURLToPath(program), packages, String(port), String(SLOTS)];
  });
  await startProgram(scratch, worker, /^ready$/);
  return createQueuePeer(startConversation(scratch, driver));
}

async function openCelery(scratch: Scratch): Promise<Peer> {
  const python = await findPython();
  const variables = {
    BENCH_REDIS: `redis://127.0.0.1:${await startRedis(scratch)}/0`,
    // The compiler leaves it where it is.
    PYTHONPATH: fileURLToPath(new URL('../../../bench/peers', import.meta.url)),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const pool = ['--concurrency', String(SLOTS), '--loglevel', 'warning', '--without-gossip', '--without-mingle'];
  const worker = [python, '-m', 'celery', '--app', 'celery_queue', '--workdir', scratch.directory, 'worker', ...pool];
  await startProgram(scratch, worker, /celery@/, variables);
  return createQueuePeer(startConversation(scratch, [python, '-m', 'celery_queue'], variables));
}

/** The Python that has Celery: that of Debian's package, unless another one that is first in PATH has it, too. */
async function findPython(): Promise<string> {
  for (const python of ['python3', '/usr/bin/python3']) {
    try {
      await promisify(execFile)(python, ['-c', 'import celery, redis']);
      return python;
    } catch {
      // The next one may have it.
    }
  }
  throw new Error(`no python3 has the modules celery and redis: ${CELERY.install}`);
}
