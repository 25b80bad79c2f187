/**
 * Remembers the port that a node listened on: peers that fetch from it while it restarts find it again. A port that is
 * lost or taken meanwhile costs no more than another offer.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const PORT_MAX = 65_535;

/** The port in a file; `undefined` when there is none. */
export function readLastPort(file: string): number | undefined {
  try {
    const port = Number(readFileSync(file, 'latin1').trim());
    return Number.isInteger(port) && port > 0 && port <= PORT_MAX ? port : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a port. A disk that is full must not keep a node from its work. */
export function keepLastPort(file: string, port: number): void {
  try {
    writeFileSync(file, `${port}\n`);
  } catch {
    // Then the next start takes a free one.
  }
}
