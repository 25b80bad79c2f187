/**
 * Calls podman and returns what it printed; decides nothing. `ask` is bounded in time. `perform`, for freezing and
 * resuming, starts a separate process, which outlives the node and is never killed.
 */
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { composeSearchPath } from '../os/find-program.js';
import { tryReadText } from '../os/try-read.js';
import { readFault } from './podman-fault.js';

/** How a call ended; a call never rejects because podman failed. */
export interface PodmanAnswer {
  /** Exit code. 125 is podman's own failure; -1: it did not start or did not end in time. */
  readonly code: number;
  readonly stdout: string;
  /** Why it failed, for people; without meaning when `code` is 0. */
  readonly fault: string;
}

/** Runs podman on this machine. */
export interface Podman {
  readonly environment: Readonly<Record<string, string>>;
  ask(...args: readonly string[]): Promise<PodmanAnswer>;
  /** Output goes to `podman.log` in the directory, because the caller may be gone before podman ends. */
  perform(directory: string, ...args: readonly string[]): Promise<PodmanAnswer>;
}

const ASK_MS = 30_000;
const LOG = 'podman.log';

/**
 * `criu`: absolute path of the criu that podman's runtime is to find, or empty; `variables` are added to podman's
 * environment.
 */
export function createPodman(criu: string, variables: Readonly<Record<string, string>>): Podman {
  const place = criu === '' ? '' : `${dirname(criu)}:`;
  const environment = { PATH: `${place}${composeSearchPath()}`, ...variables };

  return {
    environment,
    ask: async (...args) => {
      const { exitCode, stdout, stderr, shortMessage } = await execa('podman', args, {
        env: environment,
        stdin: 'ignore',
        timeout: ASK_MS,
        reject: false,
      });
      return { code: exitCode ?? -1, stdout, fault: readFault(stderr, shortMessage) };
    },
    perform: async (directory, ...args) => {
      const log = join(directory, LOG);
      const child = execa('/bin/sh', ['-c', TO_LOG, log, ...args], {
        env: environment,
        stdio: 'ignore',
        detached: true,
        cleanup: false,
        reject: false,
      });
      // A node that is stopping does not wait for it.
      child.unref();
      const { exitCode, shortMessage } = await child;
      return { code: exitCode ?? -1, stdout: '', fault: readFault(tryReadText(log) ?? '', shortMessage) };
    },
  };
}

/** Output goes to a file: a pipe would break when this process ends, and podman with it. */
const TO_LOG = 'exec podman "$@" >"$0" 2>&1';
