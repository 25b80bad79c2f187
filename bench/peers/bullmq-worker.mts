/** The worker of BullMQ: `bullmq-worker.mjs PACKAGES PORT SLOTS`. */
import { loadPackage, runJob } from './queue.js';

interface Job {
  readonly data: { readonly argv: readonly string[] };
}

interface BullMq {
  readonly Worker: new (
    queue: string,
    run: (job: Job) => Promise<string>,
    options: object,
  ) => { waitUntilReady(): Promise<unknown>; close(): Promise<void> };
}

const [packages = '', port, slots] = process.argv.slice(2);
const { Worker } = loadPackage(packages, 'bullmq') as BullMq;
const worker = new Worker('jobs', ({ data }) => runJob(data.argv), {
  connection: { host: '127.0.0.1', port: Number(port) },
  concurrency: Number(slots),
});
await worker.waitUntilReady();
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)));
console.log('ready');
