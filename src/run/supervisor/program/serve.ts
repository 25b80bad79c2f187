/** Connects the supervisor to its node, its files and its warden. */
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { tryReadStart } from '../../processes/process-table.js';
import { createFrameCutter } from '../frames.js';
import { formatLine, type SupervisorLine } from '../lines.js';
import { createLogFile } from './log-file.js';
import type { SleepClock } from './sleep-clock.js';
import { createSlots } from './slots.js';
import { supervise } from './supervise.js';
import { keepWarden } from './warden.js';

/** Exit status when there is a log already: this supervisor must not begin. */
const LATE_STATUS = 3;
/** More than this in bytes that the node does not read ends the reports to it. */
const UNREAD_BYTES_LIMIT: number = 1024 ** 2;
const IGNORED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const;

/** Serves the node at the other end of standard input and output until it is gone and all runs have ended. */
export function serve(directory: string, clock: SleepClock, unreadBytesLimit: number = UNREAD_BYTES_LIMIT): void {
  for (const signal of IGNORED) process.on(signal, () => undefined);
  const log = join(directory, 'log');
  const handle = { pid: process.pid, start: tryReadStart(process.pid) ?? 'unknown@' };
  const first: SupervisorLine = { word: 'supervisor', kind: 'node', handle };
  const file = createLogFile(log, first);
  if (file === undefined) process.exit(LATE_STATUS);
  let isEnding = false;
  keepWarden(log, () => isEnding);
  const output = openOutput(unreadBytesLimit);
  const supervisor = supervise({
    log: file,
    first,
    slots: createSlots(join(directory, 'leases')),
    clock,
    report: output,
    leave: () => {
      isEnding = true;
      process.exit(0);
    },
  });
  output(first);
  const input = new Socket({ fd: 0, readable: true, writable: false });
  const cutter = createFrameCutter();
  const end = (): void => {
    input.destroy();
    supervisor.orphan();
  };
  input
    .on('end', end)
    .on('error', end)
    .on('close', () => {
      end();
      letGo(0);
    });
  input.on('data', (chunk: Buffer) => {
    const { frames, isBroken } = cutter.cut(chunk);
    for (const frame of frames) supervisor.handle(frame);
    if (isBroken) end();
  });
}

/** Returns how to report a line. It never blocks: a node that hangs must not keep leases from being enforced. */
function openOutput(unreadBytesLimit: number): (line: SupervisorLine) => void {
  const output = new Socket({ fd: 1, readable: false, writable: true });
  output.on('error', () => output.destroy()).on('close', () => letGo(1));
  return (line) => {
    if (output.destroyed) return;
    output.write(formatLine(line));
    if (output.writableLength > unreadBytesLimit) output.destroy();
  };
}

/** Closes a standard stream, which Node.js leaves open. Its number must not become that of another file. */
function letGo(descriptor: 0 | 1): void {
  try {
    closeSync(descriptor);
    openSync('/dev/null', 'r+');
  } catch {
    // It was closed already.
  }
}
