/**
 * Remembers the port that a node listened on, so that peers fetching from it find it again after a restart. If the
 * port is lost or has been taken meanwhile, the only cost is another offer.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PORT_MAX = 65_535;

/** Reads the port from a file; `undefined` when the file is missing or holds no valid port. */
export function readLastPort(file: string): number | undefined {
  try {
    const port = Number(readFileSync(file, 'latin1').trim());
    return Number.isInteger(port) && port > 0 && port <= PORT_MAX ? port : undefined;
  } catch {
    return undefined;
  }
}

/** Saves a port. Never throws: a full disk must not stop a node from working. */
export function keepLastPort(file: string, port: number): void {
  try {
    writeFileSync(file, `${port}\n`);
  } catch {
    // The next start uses a free port instead.
  }
}
