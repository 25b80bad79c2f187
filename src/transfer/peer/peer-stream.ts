/**
 * Fetches a large body on a connection of its own. The answer's head is read here and its body goes straight from the
 * TLS layer into blocks: node's HTTP client would copy every 16 KiB of it twice, into buffers that it throws away.
 */
import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createByteBlocks, type ByteBlocks } from './byte-blocks.js';
import { Unreachable } from './peer-connect.js';

/** One read of the TLS layer. */
const READ_BYTES: number = 64 * 1024;
const HEAD_BYTES_MAX: number = 16 * 1024;

/** What to ask for on a new connection. */
export interface StreamRequest {
  readonly path: string;
  /** First byte to return. */
  readonly start: number;
  readonly signal: AbortSignal;
}

/** Connects, with the reader that is to receive what arrives. */
export type ConnectReader = (reader: OnReadOpts) => Promise<TLSSocket>;

/** A connection for one large body. */
export interface PeerLine {
  /**
   * Asks for the body and yields its bytes, each piece valid until the next one is asked for. Resolves to `undefined`
   * for any but a good answer: whoever asks again in the usual way learns the reason. Throws {@link Unreachable} when
   * there is no connection, or when it breaks. Call it once.
   */
  ask(request: StreamRequest): Promise<AsyncIterable<Buffer> | undefined>;
  /** Closes a connection that was not used. */
  close(): void;
}

/** Connects at once; a failure is reported to whoever asks. Once asked, a silence of `idleMs` ends the connection. */
export function openPeerLine(connect: ConnectReader, idleMs: number): PeerLine {
  const intake = createStreamIntake();
  const connecting = connect(intake.reader);
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    connecting.then((socket) => socket.destroy()).catch(() => undefined);
  };
  const prepare = async (): Promise<void> => {
    const socket = await connecting;
    socket.on('error', (error: Error) => intake.end(error));
    socket.once('close', () => intake.end(new Error('it was closed before its end')));
    intake.onRoom = () => socket.resume();
  };
  prepare().catch(() => undefined);

  async function ask({ path, start, signal }: StreamRequest): Promise<AsyncIterable<Buffer> | undefined> {
    signal.addEventListener('abort', close, { once: true });
    const socket = await connecting;
    socket.once('close', () => signal.removeEventListener('abort', close));
    if (isClosed) throw new Unreachable('the connection was given up');
    socket.setTimeout(idleMs, () => socket.destroy(new Error(`silent for ${idleMs} ms`)));
    intake.start = start;
    const range = start > 0 ? `range: bytes=${start}-\r\n` : '';
    socket.write(`GET ${path} HTTP/1.1\r\nhost: tritmesh\r\n${range}connection: close\r\n\r\n`);
    if (await intake.isGood) return readBody(intake.body, socket);
    socket.destroy();
    return undefined;
  }

  return { ask, close };
}

async function* readBody(body: ByteBlocks, socket: TLSSocket): AsyncGenerator<Buffer, void, void> {
  try {
    for (;;) {
      const piece = await body.next().catch((error: unknown) => {
        throw new Unreachable(`the connection broke: ${error instanceof Error ? error.message : ''}`, { cause: error });
      });
      if (piece === undefined) return;
      yield piece;
    }
  } finally {
    socket.destroy();
  }
}

interface StreamIntake {
  readonly reader: OnReadOpts;
  readonly body: ByteBlocks;
  /** Whether the head is one of a good answer, once it is known; rejects when the connection breaks before. */
  readonly isGood: Promise<boolean>;
  /** First byte asked for. */
  start: number;
  onRoom: () => void;
  end(error: Error): void;
}

/** Splits what arrives into head and body. */
function createStreamIntake(): StreamIntake {
  let head: Buffer | undefined = Buffer.alloc(0);
  let left = 0;
  let judge: (isGood: boolean) => void = () => undefined;
  let refuse: (error: Error) => void = () => undefined;
  const isGood = new Promise<boolean>((resolve, reject) => {
    [judge, refuse] = [resolve, reject];
  });
  // Nobody may be waiting any more.
  isGood.catch(() => undefined);
  const body = createByteBlocks(() => intake.onRoom());

  function takeBody(bytes: Uint8Array): boolean {
    const goesOn = body.push(bytes.subarray(0, left));
    left -= Math.min(left, bytes.length);
    if (left === 0) body.end();
    return goesOn;
  }

  function takeHead(known: Buffer, bytes: Uint8Array): boolean {
    const text = Buffer.concat([known, bytes]);
    const end = text.indexOf('\r\n\r\n');
    head = end < 0 ? text : undefined;
    if (end < 0 && text.length <= HEAD_BYTES_MAX) return true;
    const length = end < 0 ? undefined : readLength(text.toString('latin1', 0, end), intake.start);
    judge(length !== undefined);
    if (length === undefined) return false;
    left = length;
    return takeBody(text.subarray(end + 4));
  }

  const intake: StreamIntake = {
    reader: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (count, bytes) => {
        const read = bytes.subarray(0, count);
        return head === undefined ? takeBody(read) : takeHead(head, read);
      },
    },
    body,
    isGood,
    start: 0,
    onRoom: () => undefined,
    end: (error) => {
      refuse(new Unreachable(`the connection broke: ${error.message}`, { cause: error }));
      body.end(error);
    },
  };
  return intake;
}

/** The length of the body that a head announces; `undefined` unless it is one of exactly the bytes asked for. */
function readLength(head: string, start: number): number | undefined {
  const [first = '', ...lines] = head.split('\r\n');
  const fields = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const isWanted =
    start === 0
      ? first.startsWith('HTTP/1.1 200 ')
      : first.startsWith('HTTP/1.1 206 ') && fields.get('content-range')?.startsWith(`bytes ${start}-`) === true;
  const length = /^\d{1,15}$/.exec(fields.get('content-length') ?? '')?.[0];
  return isWanted && length !== undefined && !fields.has('transfer-encoding') ? Number(length) : undefined;
}
