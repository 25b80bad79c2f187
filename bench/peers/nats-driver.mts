/** The client of NATS JetStream: `nats-driver.mjs PACKAGES PORT`. */
import { connectNats, ENDS, JOBS } from './nats-api.js';
import { serveQueue } from './queue.js';

const [packages = '', port = ''] = process.argv.slice(2);
const connection = await connectNats(packages, port);
const stream = connection.jetstream();
const waiting = new Map<number, (output: string) => void>();
connection.subscribe(ENDS, {
  callback: (error, message) => {
    if (error !== null) throw error;
    const { id, output } = message.json() as { readonly id: number; readonly output: string };
    waiting.get(id)?.(output);
    waiting.delete(id);
  },
});
await connection.flush();

let submitted = 0;

async function run(argv: readonly string[]): Promise<string> {
  submitted += 1;
  const id = submitted;
  const ended = new Promise<string>((resolve) => waiting.set(id, resolve));
  await stream.publish(JOBS, JSON.stringify({ id, argv }));
  return ended;
}

await serveQueue({
  run,
  runAll: async (argv, count) => void (await Promise.all(Array.from({ length: count }, () => run(argv)))),
  close: () => connection.drain(),
});
