/**
 * Where the local socket of a node is: in a directory of its own below the state directory, which only the node's user
 * may enter. The system takes only short names for a socket; a long one is reached through the open directory.
 */
import { chmodSync, closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'socket';
/** Longest path that every system takes for a socket: macOS has 104 bytes with the NUL behind it, Linux 108. */
const PATH_BYTES_MAX = 103;
const OTHERS_MASK = 0o077;

/** A name that the system takes for the socket. */
export interface SocketAddress {
  readonly path: string;
  /** Lets go of what the name needs; the name must not be used any more. May be called twice. */
  release(): void;
}

/** The directory of the socket below a state directory. */
export function localDirectory(stateDir: string): string {
  return join(stateDir, 'local');
}

/** The socket as people may look for it. */
export function localSocketPath(stateDir: string): string {
  return join(localDirectory(stateDir), NAME);
}

/**
 * Makes the directory, or closes it to others. Throws when it is somebody else's, or no directory: what lies there was
 * not put there by this node.
 */
export function makeLocalDirectory(stateDir: string): void {
  const directory = localDirectory(stateDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory()) throw new Error(`${directory} is not a directory`);
  const self = process.geteuid?.();
  if (self !== undefined && self !== 0 && found.uid !== self) {
    throw new Error(`${directory} belongs to user ${found.uid}, not to user ${self}`);
  }
  if (process.platform !== 'win32' && (found.mode & OTHERS_MASK) !== 0) chmodSync(directory, 0o700);
}

/**
 * Gives a name for the socket that is short enough. Throws where the system has none, or the directory cannot be
 * opened.
 */
export function openSocketAddress(stateDir: string): SocketAddress {
  const path = localSocketPath(stateDir);
  const bytes = Buffer.byteLength(path);
  if (bytes <= PATH_BYTES_MAX) return { path, release: () => undefined };
  if (!existsSync('/proc/self/fd')) {
    throw new Error(`${path} has ${bytes} bytes, at most ${PATH_BYTES_MAX} make a socket: take a shorter --state-dir`);
  }
  const directory = openSync(localDirectory(stateDir), constants.O_RDONLY | constants.O_DIRECTORY);
  let isOpen = true;
  return {
    path: `/proc/self/fd/${directory}/${NAME}`,
    release: () => {
      if (isOpen) closeSync(directory);
      isOpen = false;
    },
  };
}
