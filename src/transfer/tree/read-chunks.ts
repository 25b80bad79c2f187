/**
 * Reads the chunks of an incoming message. A broken connection is distinguished from errors thrown by the consumer.
 */
import type { IncomingMessage } from 'node:http';
import { describeError } from '../../os/errors.js';
import { Unreachable } from '../peer/peer-connect.js';

/**
 * Yields chunk by chunk; throws {@link Unreachable} when the connection breaks. A reader that stops early closes the
 * connection, unless `isToBeAnswered`.
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
