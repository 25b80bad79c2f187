/**
 * The sink of a job's output: stdout and stderr of this program. It reports when written data has been taken, which a
 * paused reader (`| less`) delays, and reports once that nobody reads any more (`| head`).
 */
import { ReplaySubject, type Observable } from 'rxjs';
import type { LogStream } from './job-output.js';

/** Both streams. */
export interface JobStreams {
  write(stream: LogStream, bytes: Uint8Array): void;
  /** Calls back when everything written to the stream so far has been taken; never when nobody reads any more. */
  taken(stream: LogStream, done: () => void): void;
  /** Resolves when the stream accepts more; await it between large writes. */
  ready(stream: LogStream): Promise<void>;
  /** Emits once when nobody reads stdout any more, also to a late subscriber. */
  readonly broken$: Observable<void>;
}

/**
 * Opens both streams. From then on the caller has to end the program when its reader is gone, which it may be already
 * (`isUnread`).
 */
export function openJobStreams(isUnread = false): JobStreams {
  const broken$ = new ReplaySubject<void>(1);
  let isBroken = isUnread;
  if (isBroken) broken$.next();
  process.stdout.on('error', () => {
    if (!isBroken) broken$.next();
    isBroken = true;
  });
  return {
    write: (stream, bytes) => {
      if (!isBroken) process[stream].write(bytes);
    },
    taken: (stream, done) => {
      process[stream].write('', (error) => (error === null || error === undefined ? done() : undefined));
    },
    ready: (stream) =>
      new Promise((resolve) => {
        process[stream].write('', () => resolve());
      }),
    broken$,
  };
}
