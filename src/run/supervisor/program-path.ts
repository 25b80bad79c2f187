/** Where the programs of the supervisor are: the C one where it was built or shipped, and the Node.js one. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isProgram } from '../../os/find-program.js';

/** How to start a supervisor: a program, and the arguments before its directory. */
export interface SupervisorProgram {
  readonly kind: 'native' | 'node';
  readonly program: string;
  readonly args: readonly string[];
}

/** Environment variable that picks one: `node` or `native`. For tests and for finding faults. */
export const SUPERVISOR_VARIABLE = 'TRITMESH_SUPERVISOR';

/** The programs that can be tried, best first. */
export function listSupervisorPrograms(wanted: string | undefined): readonly SupervisorProgram[] {
  const root = findRoot();
  // A package may have been packed on another machine.
  const natives = ['dist/native', 'native/prebuilt']
    .map((place) => join(root, place, `${process.platform}-${process.arch}`, 'tritmesh-supervisor'))
    .filter(isProgram)
    .slice(0, 1)
    .map((program): SupervisorProgram => ({ kind: 'native', program, args: [] }));
  const node: SupervisorProgram = {
    kind: 'node',
    program: process.execPath,
    args: [join(root, 'dist/bin/supervisor.cjs')],
  };
  return [...natives, node].filter(({ kind }) => wanted === undefined || wanted === '' || kind === wanted);
}

/** The directory of this package: the source, its compiled file and its bundle are at different depths below it. */
function findRoot(): string {
  let place = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(place, 'package.json')) && dirname(place) !== place) place = dirname(place);
  return place;
}
