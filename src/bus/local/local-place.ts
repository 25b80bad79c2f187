/**
 * Where the local socket of a node is: in its own directory below the state directory, which only the node's user may
 * enter. Systems allow only short socket paths; a longer one is reached through a descriptor of the open directory.
 */
import { chmodSync, closeSync, constants, existsSync, lstatSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'socket';
/** Longest socket path that every system accepts: macOS has 104 bytes including the NUL, Linux 108. */
const PATH_BYTES_MAX = 103;
const OTHERS_MASK = 0o077;

/** A path for the socket that is short enough for the system. */
export interface SocketAddress {
  readonly path: string;
  /** Frees what the path depends on; the path must not be used afterwards. May be called twice. */
  release(): void;
}

/** Directory of the socket below a state directory. */
export function localDirectory(stateDir: string): string {
  return join(stateDir, 'local');
}

/** Path of the socket as shown to people; it may be too long to connect to. */
export function localSocketPath(stateDir: string): string {
  return join(localDirectory(stateDir), NAME);
}

/**
 * Creates the directory, or makes an existing one private. Throws when it belongs to another user or is not a
 * directory: then this node did not create it.
 */
export function createLocalDirectory(stateDir: string): void {
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
 * Returns a path for the socket that is short enough. Throws where the system offers none, or when the directory cannot
 * be opened.
 */
export function openSocketAddress(stateDir: string): SocketAddress {
  const path = localSocketPath(stateDir);
  const bytes = Buffer.byteLength(path);
  if (bytes <= PATH_BYTES_MAX) return { path, release: () => undefined };
  if (!existsSync('/proc/self/fd')) {
    throw new Error(
      `the socket path ${path} has ${bytes} bytes, at most ${PATH_BYTES_MAX} are possible: use a shorter --state-dir`,
    );
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
