/** Finds out which program of the supervisor a node on this machine would use. */
import { execa } from 'execa';
import { listSupervisorPrograms, SUPERVISOR_VARIABLE, type SupervisorProgram } from '../run/supervisor/program-path.js';

/** Exit status of the C program when it is given no directory: it runs here. */
const USAGE_STATUS = 2;

/** The program that a node would use; `undefined` when there is none. */
export async function findSupervisor(): Promise<SupervisorProgram | undefined> {
  for (const one of listSupervisorPrograms(process.env[SUPERVISOR_VARIABLE])) {
    if (one.kind === 'node') return one;
    const { exitCode } = await execa(one.program, [], { reject: false, stdio: 'ignore' });
    if (exitCode === USAGE_STATUS) return one;
  }
  return undefined;
}
