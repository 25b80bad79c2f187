/**
 * The log: what a node reports to the person who runs it, on stderr. Callers pass a sentence and fields, and never a
 * secret.
 */
import type { Logger } from 'pino';
import { formatLogLine } from './log-line.js';

/** The least severe level that is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Fields logged next to the sentence; `error` is shown with its message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The port to the log. */
export interface Log {
  debug(sentence: string, facts?: LogFields): void;
  info(sentence: string, facts?: LogFields): void;
  warn(sentence: string, facts?: LogFields): void;
  error(sentence: string, facts?: LogFields): void;
}

/** Where the lines go: stderr, except in tests. */
export interface LogSink {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Logs nothing. */
export const SILENT_LOG: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/**
 * Creates a log on stderr: readable lines on a terminal, otherwise JSON lines with `level`, `time`, `msg` and the
 * fields. pino is loaded only here, which saves silent commands 40 ms.
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

function ignore(): void {
  // Deliberately empty.
}
