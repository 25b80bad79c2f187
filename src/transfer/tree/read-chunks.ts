/**
 * The chunks of a message that comes in. A connection that breaks is told apart from what the reader of the chunks
 * throws.
 */
import type { IncomingMessage } from 'node:http';
import { describeError } from '../../os/errors.js';
import { Unreachable } from '../peer/peer-connect.js';

/**
 * Reads chunk by chunk; throws {@link Unreachable} where the connection breaks. Who stops reading ends the connection,
 * unless it is to be answered on it.
 */
export async function* readChunks(
  message: IncomingMessage,
  isToBeAnswered = false,
): AsyncGenerator<Buffer, void, void> {
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let isWhole = false;
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw new Unreachable(`the connection broke: ${describeError(error)}`, { cause: error });
      });
      if (next.done === true) {
        isWhole = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!isWhole && !isToBeAnswered) message.destroy();
  }
}
