/** What the benchmark uses of the package `nats`, which is installed for its run only. */
import { loadPackage } from './queue.js';

/** A message of a subject. */
export interface NatsMessage {
  json(): unknown;
  ack(): void;
}

/** A work queue: each message goes to one worker and is removed when that has acknowledged it. */
export interface JetStream {
  publish(subject: string, text: string): Promise<unknown>;
  readonly consumers: {
    get(
      stream: string,
      consumer: string,
    ): Promise<{ consume(options: object): Promise<AsyncIterable<NatsMessage> & { stop(): void }> }>;
  };
}

/** A connection to the server. */
export interface NatsConnection {
  jetstream(): JetStream;
  jetstreamManager(): Promise<{
    readonly streams: { add(stream: object): Promise<unknown> };
    readonly consumers: { add(stream: string, consumer: object): Promise<unknown> };
  }>;
  publish(subject: string, text: string): void;
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: NatsMessage) => void },
  ): unknown;
  flush(): Promise<void>;
  drain(): Promise<void>;
}

/** Connects with the package of that directory. */
export function connectNats(packages: string, port: string): Promise<NatsConnection> {
  const nats = loadPackage(packages, 'nats') as { connect(options: object): Promise<NatsConnection> };
  return nats.connect({ servers: `127.0.0.1:${port}` });
}

/** The stream of jobs, and its consumer. */
export const STREAM = 'jobs';
export const CONSUMER = 'workers';
/** The subjects of the jobs, and of their ends. */
export const JOBS = 'jobs';
export const ENDS = 'ends';
