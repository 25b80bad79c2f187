/** The worker of NATS JetStream: `nats-worker.mjs PACKAGES PORT SLOTS`. Also creates the work queue. */
import { CONSUMER, connectNats, ENDS, JOBS, STREAM, type NatsMessage } from './nats-api.js';
import { runJob } from './queue.js';

const [packages = '', port = '', slots] = process.argv.slice(2);
const connection = await connectNats(packages, port);
const manager = await connection.jetstreamManager();
await manager.streams.add({ name: STREAM, subjects: [JOBS], retention: 'workqueue' });
await manager.consumers.add(STREAM, {
  durable_name: CONSUMER,
  ack_policy: 'explicit',
  max_ack_pending: Number(slots),
});
const consumer = await connection.jetstream().consumers.get(STREAM, CONSUMER);
const messages = await consumer.consume({ max_messages: 100 });
process.once('SIGTERM', () => {
  messages.stop();
  void connection.drain().then(() => process.exit(0));
});
console.log('ready');
// The server sends no more than `max_ack_pending` before one is acknowledged: these are the slots.
for await (const message of messages) void runMessage(message);

async function runMessage(message: NatsMessage): Promise<void> {
  const { id, argv } = message.json() as { readonly id: number; readonly argv: readonly string[] };
  const output = await runJob(argv);
  message.ack();
  connection.publish(ENDS, JSON.stringify({ id, output }));
}
