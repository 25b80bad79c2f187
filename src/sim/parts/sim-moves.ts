/**
 * How a simulated runner freezes, restores and thaws. An image is a file with the name of the process's execution and
 * the work done so far. Like criu, the writer continues if the node dies.
 */
import type { RunEvent, Runner } from '../../run/runner.js';
import type { Random } from '../plan/random.js';
import type { SimMachine } from './sim-machine.js';
import type { SimImage, SimProcess } from './sim-process.js';

/** Dependencies of simulated moves. */
export interface SimMovesDeps {
  readonly machine: SimMachine;
  readonly random: Random;
  /** Whether this boot of the node is over. */
  isDead(): boolean;
  emit(event: RunEvent): void;
}

/** The part of a runner that moves use. */
export interface SimMoves extends Pick<Runner, 'freeze' | 'thaw'> {
  restore(run: string, directory: string, takesMs: number, guardMs: number, onEnd: (process: SimProcess) => void): void;
}

/** Writing an image takes up to this long, ms. */
const IMAGE_MS = 400;
/** Share of freezes, and of restores, that fail. */
const FAILURE_PART = 0.1;

/** Creates the moves of one boot of a node. */
export function createSimMoves({ machine, random, isDead, emit }: SimMovesDeps): SimMoves {
  const { files, processes } = machine;

  function freeze(run: string): void {
    const process = processes.get(run);
    if (isDead() || process?.state !== 'alive') return;
    const path = imagePath(run);
    if (process.frozen && files.has(path)) return emit({ type: 'RunFrozen', run, imageBytes: 1, tookMs: 1 });
    if (random.chance(FAILURE_PART))
      return emit({ type: 'FreezeFailed', run, reason: 'it holds something that cannot be frozen' });
    const writer = `${process.execution} ${random.next()}`;
    files.set(writerPath(run), writer);
    machine.when(random.next() * IMAGE_MS, () => {
      // Meanwhile the process was thawed, which ends the writer, or another writer was started.
      if (process.state !== 'alive' || files.get(writerPath(run)) !== writer) return;
      files.delete(writerPath(run));
      machine.stop(process);
      files.set(path, formatImage({ writes: process.writes, doneMs: process.doneMs }));
      if (!isDead()) emit({ type: 'RunFrozen', run, imageBytes: 1, tookMs: 1 });
    });
  }

  function thaw(run: string): void {
    const process = processes.get(run);
    if (isDead() || process?.state !== 'alive') return;
    for (const path of [imagePath(run), writerPath(run)]) files.delete(path);
    machine.go(process);
    emit({ type: 'RunThawed', run });
  }

  const restore: SimMoves['restore'] = (run, directory, takesMs, guardMs, onEnd) => {
    const image = readImage(files.get(`${directory}/image/core`));
    if (image === undefined) return emit({ type: 'RunFailed', run, reason: 'there is no image' });
    if (random.chance(FAILURE_PART))
      return emit({ type: 'RunFailed', run, reason: 'it needs something that is not here' });
    const process = machine.restore(run, takesMs, guardMs, image, onEnd);
    emit({ type: 'RunPrepared', run, handle: { pid: process.pid, start: process.execution } });
  };

  return { freeze, thaw, restore };
}

function imagePath(run: string): string {
  return `guests/${run}/image/core`;
}

/** Outside the run's directory, so that it is not transferred. */
function writerPath(run: string): string {
  return `writers/${run}`;
}

function formatImage({ writes, doneMs }: SimImage): string {
  return `${writes}@${doneMs}`;
}

function readImage(text: string | undefined): SimImage | undefined {
  const at = text?.lastIndexOf('@') ?? -1;
  return text === undefined || at < 0 ? undefined : { writes: text.slice(0, at), doneMs: Number(text.slice(at + 1)) };
}
