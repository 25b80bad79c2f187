/**
 * Where a job's output goes: stdout and stderr of this program. It says when what was written has been taken, which a reader that
 * stands still (`| less`) puts off, and tells once that nobody reads any more (`| head`).
 */
import { Subject, type Observable } from 'rxjs';
import type { StreamName } from './job-output.js';

/** Both streams. */
export interface JobStreams {
  write(stream: StreamName, bytes: Uint8Array): void;
  /** Calls back when all that was written to a stream so far has been taken; never once nobody reads. */
  taken(stream: StreamName, done: () => void): void;
  /** Resolves when the stream takes more: who writes much waits for it. */
  ready(stream: StreamName): Promise<void>;
  /** Nobody reads stdout any more. */
  readonly broken$: Observable<void>;
}

/** Opens them. From now on it is for the caller to end the program when its reader is gone. */
export function openJobStreams(): JobStreams {
  const broken$ = new Subject<void>();
  let isBroken = false;
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
