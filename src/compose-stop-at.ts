/**
 * A node that dies or stands still at a given step, for tests of what a fault at that moment leaves behind: the process sends
 * itself a signal the first time the named step is reached. Chosen by TRITMESH_STOP_AT; a node without it has none of this.
 */
import { writeSync } from 'node:fs';
import type { NodePorts } from './node/ports.js';
import { watchSteps } from './node/steps.js';

const FREEZE = 'freeze:';

/**
 * Stops a node at a step, named as {@link watchSteps} names it: `<step>` kills it there, `freeze:<step>` stops it until
 * somebody sends it SIGCONT. It says so on stderr first: `dies at <step>`, `stands still at <step>`.
 */
export function stopAt(ports: NodePorts, base: string, stop: string): NodePorts {
  const freezes = stop.startsWith(FREEZE);
  const wanted = freezes ? stop.slice(FREEZE.length) : stop;
  let wasReached = false;
  return watchSteps(ports, base, (step) => {
    if (step !== wanted || wasReached) return;
    wasReached = true;
    writeSync(process.stderr.fd, `${freezes ? 'stands still' : 'dies'} at ${step}\n`);
    // The kernel stops or ends the whole process before this call returns: no later step can have been taken.
    process.kill(process.pid, freezes ? 'SIGSTOP' : 'SIGKILL');
  });
}
