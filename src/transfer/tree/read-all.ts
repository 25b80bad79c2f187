/**
 * Reads a body that must be small.
 */
import type { IncomingMessage } from 'node:http';

/** Returns all bytes of a message; `undefined` when there are more than `bytesMax` or the connection breaks. */
export async function readAll(message: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}
