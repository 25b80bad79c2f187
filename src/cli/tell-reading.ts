/**
 * Tells the receiver of a job how far its output has been read here, so that a job whose reader stands still is held and does not
 * fill the disk. Only who speaks for the job's owner is believed; without its key nothing is told.
 */
import { interval, type Subscription } from 'rxjs';
import type { Client, Signer } from '../compose-client.js';
import { sealMessage } from '../protocol/envelope.js';
import type { Log } from '../protocol/work-messages.js';
import { formatTopic } from '../protocol/topics.js';

/** Tells of one item. */
export interface ReadingTeller {
  /** The text of this piece has been written, or passed over: its reader has it behind him. */
  read(log: Log & { readonly node: string }): void;
  stop(): void;
}

/** News are told this often; where there are none, that somebody is still there. */
const NEWS_MS = 100;
const QUIET_LOOKS = 40;

/** Makes the teller of an item of the signer's node. */
export function createReadingTeller(
  { bus, base, clock }: Pick<Client, 'bus' | 'base' | 'clock'>,
  signer: Signer | undefined,
  item: string,
): ReadingTeller {
  let place: { readonly node: string; readonly epoch: number } | undefined;
  let reached: Record<Log['stream'], number> = { stdout: 0, stderr: 0 };
  let quiet = 0;
  let ticks: Subscription | undefined;

  function tell(): void {
    quiet += 1;
    if (place === undefined || signer === undefined || (quiet > 1 && quiet < QUIET_LOOKS)) return;
    quiet = 1;
    const topic = formatTopic(base, { kind: 'request', node: place.node, verb: 'read' });
    const stamp = { ts: new Date(clock.wall()).toISOString(), boot: 0, seq: 1 };
    const body = { from: signer.id, owner: signer.id, item, epoch: place.epoch, ...reached };
    const payload = sealMessage(topic, body, stamp, signer.identity.sign);
    // Lost, it is told again soon.
    bus.publish({ topic, payload, qos: 0, retain: false }, () => undefined);
  }

  return {
    read: ({ node, epoch, stream, offset, text, lossy }) => {
      if (place?.node !== node || place.epoch !== epoch) {
        if (place !== undefined && epoch < place.epoch) return;
        place = { node, epoch };
        reached = { stdout: 0, stderr: 0 };
      }
      // How many bytes a lossy text stands for it does not tell.
      const end = lossy ? offset : offset + Buffer.byteLength(text);
      reached = { ...reached, [stream]: Math.max(reached[stream], end) };
      quiet = 0;
      ticks ??= interval(NEWS_MS, clock.scheduler).subscribe(tell);
    },
    stop: () => ticks?.unsubscribe(),
  };
}
