/** `tritmesh watch`: one line for each thing that happens on the mesh, until Ctrl-C. It only reads. */
import { firstValueFrom, fromEvent, merge } from 'rxjs';
import { meshView } from '../observe/mesh-view.js';
import type { Heard } from '../observe/heard.js';
import { formatTopic } from '../protocol/topics.js';
import { tellAbsence } from './absence.js';
import type { Context } from './context.js';
import { EXIT } from './failure.js';
import { openClient } from './look.js';
import { describeEvent } from './render/event.js';
import { renderSum } from './render/mesh.js';

/** Topics whose last line is remembered, so that what is only repeated is told once. */
const LINES_MAX = 2000;

export async function watchMesh(context: Context): Promise<number> {
  const { config } = context;
  const client = openClient(config);
  const view = meshView({ ...client, rules: { offlineAfterMs: config.state.offline_after_ms } });
  const last = new Map<string, string>();

  let isSettled = false;

  const told = view.events$.subscribe((heard) => {
    const line = describeEvent(heard);
    const subject = nameSubject(config.base, heard);
    const isNews = line !== undefined && last.get(subject) !== line;
    if (isNews && isRepeatable(heard)) remember(last, subject, line);
    // What the broker kept is no event at the start. After a reconnect it tells what happened in the meantime.
    if (isKept(heard) && !(isSettled && isNews)) return;
    if (context.json) return context.print(`${JSON.stringify(heard)}\n`);
    if (isNews) context.print(`${formatTime(client.clock.wall())}  ${line}\n`);
  });
  const first = view.settled$.subscribe(({ sum }) => {
    isSettled = true;
    if (!context.json) context.print(`${renderSum(sum)}\n`);
  });
  const away = tellAbsence(context, client);
  const stopped = firstValueFrom(merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')));
  try {
    await Promise.race([client.connectPatiently(), stopped]);
    await stopped;
  } finally {
    told.unsubscribe();
    away.unsubscribe();
    first.unsubscribe();
    view.stop();
    await client.close();
  }
  return EXIT.done;
}

/** Keeps the lines that were told last. */
function remember(last: Map<string, string>, subject: string, line: string): void {
  last.delete(subject);
  last.set(subject, line);
  const [oldest] = last.keys();
  if (last.size > LINES_MAX && oldest !== undefined) last.delete(oldest);
}

/** Whether the broker says it from its store. */
function isKept(heard: Heard): boolean {
  return (heard.type === 'message' || heard.type === 'word') && heard.retained;
}

/** Two equal requests are two events, and so are their answers. */
function isRepeatable(heard: Heard): boolean {
  return heard.type !== 'request' && !(heard.type === 'message' && heard.kind === 'response');
}

function nameSubject(base: string, heard: Heard): string {
  return heard.type === 'refused' ? heard.topic : formatTopic(base, heard.topic);
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
