/** `tritmesh watch`: prints one line per event on the mesh until Ctrl-C. It only subscribes, and never publishes. */
import { firstValueFrom, fromEvent, merge } from 'rxjs';
import { meshView } from '../../observe/mesh-view.js';
import type { BusEvent } from '../../observe/bus-event.js';
import { formatTopic } from '../../protocol/topics.js';
import { reportAbsence } from '../broker-absence.js';
import type { Context } from '../context.js';
import { EXIT } from '../failure.js';
import { openClient } from '../snapshot.js';
import { describeEvent } from '../render/event.js';
import { renderSum } from '../render/mesh.js';

/** Topics whose last line is remembered, to suppress repeats. */
const LINES_MAX = 2000;

export async function watchMesh(context: Context): Promise<number> {
  const { config } = context;
  const client = openClient(config);
  const members = meshView({ ...client, rules: { offlineAfterMs: config.state.offline_after_ms } });
  const last = new Map<string, string>();

  let isSettled = false;

  const lines = members.events$.subscribe((event) => {
    const line = describeEvent(event);
    const subject = nameSubject(config.base, event);
    const isNews = line !== undefined && last.get(subject) !== line;
    if (isNews && isRepeatable(event)) remember(last, subject, line);
    // Retained messages are not events at the start; after a reconnect they show what happened in the meantime.
    if (isKept(event) && !(isSettled && isNews)) return;
    if (context.json) return context.print(`${JSON.stringify(event)}\n`);
    if (isNews) context.print(`${formatTime(client.clock.wall())}  ${line}\n`);
  });
  const first = members.settled$.subscribe(({ sum }) => {
    isSettled = true;
    if (!context.json) context.print(`${renderSum(sum)}\n`);
  });
  const absences = reportAbsence(context, client);
  const stopped = firstValueFrom(merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')));
  try {
    await Promise.race([client.connectPatiently(), stopped]);
    await stopped;
  } finally {
    lines.unsubscribe();
    absences.unsubscribe();
    first.unsubscribe();
    members.stop();
    await client.close();
  }
  return EXIT.done;
}

/** Remembers the last line of a topic; forgets the least recently updated one beyond the bound. */
function remember(last: Map<string, string>, subject: string, line: string): void {
  last.delete(subject);
  last.set(subject, line);
  const [oldest] = last.keys();
  if (last.size > LINES_MAX && oldest !== undefined) last.delete(oldest);
}

/** Whether this is a retained message. */
function isKept(event: BusEvent): boolean {
  return (event.type === 'message' || event.type === 'word') && event.retained;
}

/** Two equal requests are two events, and so are their answers. */
function isRepeatable(event: BusEvent): boolean {
  return event.type !== 'request' && !(event.type === 'message' && event.kind === 'response');
}

function nameSubject(base: string, event: BusEvent): string {
  return event.type === 'refused' ? event.topic : formatTopic(base, event.topic);
}

/** Local time with milliseconds: 12:00:00.123. */
function formatTime(wall: number): string {
  const date = new Date(wall);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => padNumber(part, 2)).join(':');
  return `${time}.${padNumber(date.getMilliseconds(), 3)}`;
}

function padNumber(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
