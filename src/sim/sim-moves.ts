/**
 * How a simulated runner freezes, restores and thaws. An image is a file that names whose process it is of and how far that had
 * come; writing it goes on when the node dies, as criu does.
 */
import type { RunEvent, Runner } from '../run/runner.js';
import type { Random } from './random.js';
import type { SimMachine } from './sim-machine.js';
import type { SimImage, SimProcess } from './sim-process.js';

/** What it is made of. */
export interface SimMovesParts {
  readonly machine: SimMachine;
  readonly random: Random;
  /** This life of the node is over. */
  isDead(): boolean;
  tell(event: RunEvent): void;
}

/** The part of a runner that moves are made with. */
export interface SimMoves extends Pick<Runner, 'freeze' | 'thaw'> {
  restore(run: string, directory: string, takesMs: number, guardMs: number, onEnd: (process: SimProcess) => void): void;
}

/** Writing or reading an image takes up to this long, ms. */
const IMAGE_MS = 400;
/** Of freezes and of restores, how many do not work out. */
const FAILS = 0.1;

/** Makes it for one life of a node. */
export function createSimMoves({ machine, random, isDead, tell }: SimMovesParts): SimMoves {
  const { files, processes } = machine;

  function freeze(run: string): void {
    const process = processes.get(run);
    if (isDead() || process?.state !== 'lives') return;
    const path = imagePath(run);
    if (process.frozen && files.has(path)) return tell({ type: 'RunFrozen', run, imageBytes: 1, tookMs: 1 });
    if (random.chance(FAILS))
      return tell({ type: 'FreezeFailed', run, reason: 'it holds something that cannot be frozen' });
    const writer = `${process.execution} ${random.next()}`;
    files.set(writerPath(run), writer);
    machine.when(random.next() * IMAGE_MS, () => {
      // Somebody let it go on meanwhile and ended what was writing, or set another one to it.
      if (process.state !== 'lives' || files.get(writerPath(run)) !== writer) return;
      files.delete(writerPath(run));
      machine.stop(process);
      files.set(path, formatImage({ writes: process.writes, doneMs: process.doneMs }));
      if (!isDead()) tell({ type: 'RunFrozen', run, imageBytes: 1, tookMs: 1 });
    });
  }

  function thaw(run: string): void {
    const process = processes.get(run);
    if (isDead() || process?.state !== 'lives') return;
    for (const path of [imagePath(run), writerPath(run)]) files.delete(path);
    machine.go(process);
    tell({ type: 'RunThawed', run });
  }

  const restore: SimMoves['restore'] = (run, directory, takesMs, guardMs, onEnd) => {
    const image = readImage(files.get(`${directory}/image/core`));
    if (image === undefined) return tell({ type: 'RunFailed', run, reason: 'there is no image' });
    if (random.chance(FAILS)) return tell({ type: 'RunFailed', run, reason: 'it needs something that is not here' });
    const process = machine.restore(run, takesMs, guardMs, image, onEnd);
    tell({ type: 'RunPrepared', run, handle: { pid: process.pid, start: process.execution } });
  };

  return { freeze, thaw, restore };
}

function imagePath(run: string): string {
  return `guests/${run}/image/core`;
}

/** Outside the directory of the run: it does not travel. */
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
