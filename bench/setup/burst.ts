/** Many no-ops at once: through tritmesh, and without it. */
import { bufferCount, firstValueFrom } from 'rxjs';
import { runProgram } from '../measure/stamp.js';
import { SLOTS, type Pair } from './pair.js';

/** A program that does nothing. */
export const NO_OP: readonly string[] = ['true'];

/** Submits all jobs at once; returns jobs per second until the last is settled. */
export async function submitJobs(pair: Pair, name: string, count: number): Promise<number> {
  const all = firstValueFrom(pair.settled$.pipe(bufferCount(count)));
  const begun = performance.now();
  const submitted = Array.from({ length: count }, (_, index) => pair.submit(`${name}-${index}`, NO_OP));
  await Promise.all([...submitted, all]);
  return (count / (performance.now() - begun)) * 1000;
}

/** Spawns programs, as many at a time as the receiver of a pair has slots; returns programs per second. */
export async function spawnJobs(count: number, argv: readonly string[] = NO_OP): Promise<number> {
  let left = count;
  const work = async (): Promise<void> => {
    for (; left > 0;) {
      left -= 1;
      await runProgram(argv, 'ignore');
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: SLOTS }, work));
  return (count / (performance.now() - begun)) * 1000;
}
