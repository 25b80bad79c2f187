/**
 * The log: what a node tells the one who runs it, on stderr. The port and its one maker; whoever logs gives a sentence and
 * facts, never a secret.
 */
import type { Logger } from 'pino';
import { formatLogLine } from './log-line.js';

/** How much is told. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Facts beside the sentence; `error` is shown with its message. */
export type LogFacts = Readonly<Record<string, unknown>>;

/** Where sentences for people go. */
export interface Log {
  debug(sentence: string, facts?: LogFacts): void;
  info(sentence: string, facts?: LogFacts): void;
  warn(sentence: string, facts?: LogFacts): void;
  error(sentence: string, facts?: LogFacts): void;
}

/** Where the lines go: stderr, but for tests. */
export interface LogSink {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Tells nothing. */
export const SILENT_LOG: Log = { debug: keepQuiet, info: keepQuiet, warn: keepQuiet, error: keepQuiet };

/**
 * Makes a log on stderr: readable lines on a terminal, else JSON lines with `level`, `time`, `msg` and the facts. pino is
 * loaded only here, 40 ms that a silent command does not pay.
 */
export async function createLog(level: LogLevel, sink: LogSink = process.stderr): Promise<Log> {
  if (level === 'silent') return SILENT_LOG;
  const { pino, stdTimeFunctions, stdSerializers } = await import('pino');
  const isReadable = sink.isTTY === true;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    { write: (line: string) => void sink.write(isReadable ? formatLogLine(line) : line) },
  );
  return wrapLogger(logger);
}

function wrapLogger(logger: Logger): Log {
  return {
    debug: (sentence, facts = {}) => logger.debug(facts, sentence),
    info: (sentence, facts = {}) => logger.info(facts, sentence),
    warn: (sentence, facts = {}) => logger.warn(facts, sentence),
    error: (sentence, facts = {}) => logger.error(facts, sentence),
  };
}

function keepQuiet(): void {
  // Nothing to do: that is its purpose.
}
