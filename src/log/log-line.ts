/**
 * One line of the log for people: time, level, sentence, fields. Fields may come from the bus, so nothing in them may
 * reach a terminal as a control sequence. Pure.
 */

/** Formats a JSON line of the log as `12:34:56 warn  sentence  key=value …`; any other line is only escaped. */
export function formatLogLine(line: string): string {
  const record = parseRecord(line);
  if (record === undefined) return `${makeSafe(line.trimEnd())}\n`;
  const { level, time, msg, ...facts } = record;
  const clock = typeof time === 'string' ? time.slice(11, 19) : '';
  const pairs = Object.entries(facts).map(([key, value]) => `${key}=${formatFact(value)}`);
  const words = [
    clock,
    String(level).padEnd(5),
    asText(msg),
    ...pairs.map((pair, index) => (index === 0 ? ` ${pair}` : pair)),
  ];
  return `${makeSafe(words.join(' '))}\n`;
}

function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function formatFact(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return JSON.stringify(value.message);
  if (typeof value === 'string' && /^[^\s"=]+$/.test(value)) return value;
  return JSON.stringify(value);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}

/** Replaces C0 and C1 controls and DEL, which a terminal would obey, by `\xNN`. */
function makeSafe(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
