/**
 * Before a node says anything: is somebody else online under its id? Joining would throw that node off the broker again
 * and again, so the newcomer is refused instead.
 */
import { firstValueFrom, of, skip, switchMap, timer } from 'rxjs';
import type { Bus } from '../bus/bus.js';
import { decodeMessage } from '../protocol/codec.js';
import { formatTopic } from '../protocol/topics.js';

/** A node of another key is online under the same id. */
export class IdTaken extends Error {
  override readonly name = 'IdTaken';
  readonly id: string;
  readonly host: string;
  constructor(id: string, host: string) {
    super(
      `id ${JSON.stringify(id)} is taken: a node with another key is online under it on ${host}; expected an id that is free, such as ${id}-2 (--id)`,
    );
    this.id = id;
    this.host = host;
  }
}

/** How long a broker may take to replay two retained messages, ms. */
const REPLAY_MS = 400;

/**
 * Asks the broker through a bus of its own, which it closes. Rejects with IdTaken; a broker that is not there has nothing to
 * say against the id.
 */
export async function checkIdFree(bus: Bus, base: string, id: string, publicKey: string): Promise<void> {
  const topics = {
    info: { kind: 'info', node: id },
    availability: { kind: 'availability', node: id },
  } as const;
  let birth: { readonly key: string; readonly host: string } | undefined;
  let online = false;
  const listening = bus.messages$.subscribe((message) => {
    if (message.topic === formatTopic(base, topics.availability)) {
      online = Buffer.from(message.payload).toString() === 'online';
      return;
    }
    const decoded = decodeMessage(base, topics.info, message.payload);
    if (decoded.ok) birth = decoded.value;
  });
  bus.subscribe(Object.values(topics).map((topic) => formatTopic(base, topic)));
  await replayed(bus);
  listening.unsubscribe();
  await new Promise<void>((resolve) => bus.close(resolve));
  if (online && birth !== undefined && birth.key !== publicKey) throw new IdTaken(id, birth.host);
}

/** Connects, and waits until the retained messages must have come; at once when there is no broker. */
async function replayed(bus: Bus): Promise<void> {
  const link$ = bus.link$.pipe(
    // The present state, `not connected yet`, is no answer.
    skip(1),
    switchMap((link) => (link.state === 'online' ? timer(REPLAY_MS) : of(0))),
  );
  const answer = firstValueFrom(link$);
  bus.connect();
  await answer;
}
