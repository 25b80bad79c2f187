/** The client of BullMQ: `bullmq-driver.mjs PACKAGES PORT`. */
import { loadPackage, serveQueue } from './queue.js';

interface Addition {
  readonly name: string;
  readonly data: { readonly argv: readonly string[] };
  readonly opts: { readonly jobId: string; readonly removeOnComplete: boolean };
}

interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => { addBulk(jobs: readonly Addition[]): Promise<unknown>; close(): Promise<void> };
  readonly QueueEvents: new (
    name: string,
    options: object,
  ) => {
    on(event: 'completed', listener: (event: { readonly jobId: string; readonly returnvalue: string }) => void): void;
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  };
}

const [packages = '', port] = process.argv.slice(2);
const { Queue, QueueEvents } = loadPackage(packages, 'bullmq') as BullMq;
const connection = { host: '127.0.0.1', port: Number(port) };
const queue = new Queue('jobs', { connection });
const events = new QueueEvents('jobs', { connection });
await events.waitUntilReady();
const waiting = new Map<string, (output: string) => void>();
events.on('completed', ({ jobId, returnvalue }) => {
  waiting.get(jobId)?.(returnvalue);
  waiting.delete(jobId);
});

let submitted = 0;

async function submit(argv: readonly string[], count: number): Promise<readonly string[]> {
  const jobs = Array.from({ length: count }, (): Addition => {
    submitted += 1;
    return { name: 'job', data: { argv }, opts: { jobId: `job-${submitted}`, removeOnComplete: true } };
  });
  const ended = jobs.map(({ opts }) => new Promise<string>((resolve) => waiting.set(opts.jobId, resolve)));
  await queue.addBulk(jobs);
  return Promise.all(ended);
}

await serveQueue({
  run: async (argv) => (await submit(argv, 1))[0] ?? '',
  runAll: async (argv, count) => void (await submit(argv, count)),
  close: async () => {
    await Promise.all([queue.close(), events.close()]);
  },
});
