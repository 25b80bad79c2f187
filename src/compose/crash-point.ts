/**
 * Crash points: a node that dies or freezes at a named step, to test what a fault at that point leaves behind. The
 * process sends itself a signal the first time it reaches the step. Only TRITMESH_STOP_AT enables this; otherwise it is
 * not loaded.
 */
import { writeSync } from 'node:fs';
import type { NodePorts } from '../node/ports.js';
import { watchCrashPoints } from '../node/crash-points.js';

const FREEZE = 'freeze:';

/**
 * Wraps the ports so that the node stops at a step, named as in {@link watchCrashPoints}: `<step>` kills it there,
 * `freeze:<step>` stops it until it is sent SIGCONT. It prints `dies at <step>` or `stands still at <step>` on stderr
 * first.
 */
export function crashAt(ports: NodePorts, base: string, stop: string): NodePorts {
  const freezes = stop.startsWith(FREEZE);
  const wanted = freezes ? stop.slice(FREEZE.length) : stop;
  let wasReached = false;
  return watchCrashPoints(ports, base, (step) => {
    if (step !== wanted || wasReached) return;
    wasReached = true;
    writeSync(process.stderr.fd, `${freezes ? 'stands still' : 'dies'} at ${step}\n`);
    // The kernel stops or kills the whole process before this call returns, so no later step can have run.
    process.kill(process.pid, freezes ? 'SIGSTOP' : 'SIGKILL');
  });
}
