/**
 * Reports to the receiver of a job how far its output has been read here: a job whose reader has paused is held, and
 * does not fill the disk. Reports are signed with the key of the job's owner; without that key none is sent.
 */
import { interval, type Subscription } from 'rxjs';
import type { Client, Signer } from '../../compose/client.js';
import { sealMessage } from '../../protocol/envelope.js';
import type { LogPiece } from '../../protocol/work-messages.js';
import { formatTopic } from '../../protocol/topics.js';

/** Reports the reading position of one item. */
export interface ReadingReporter {
  /** The reader is past this piece: it was written or skipped. */
  read(log: LogPiece & { readonly node: string }): void;
  stop(): void;
}

/** A new position is reported after this time, ms; an unchanged one every QUIET_TICKS times, as a sign of life. */
const REPORT_MS = 100;
const QUIET_TICKS = 40;

/** Creates the reporter for an item of the signer's node. */
export function createReadingReporter(
  { bus, base, clock }: Pick<Client, 'bus' | 'base' | 'clock'>,
  signer: Signer | undefined,
  item: string,
): ReadingReporter {
  let run: { readonly node: string; readonly epoch: number } | undefined;
  let reached: Record<LogPiece['stream'], number> = { stdout: 0, stderr: 0 };
  let quiet = 0;
  let ticks: Subscription | undefined;

  function publishPosition(): void {
    quiet += 1;
    if (run === undefined || signer === undefined || (quiet > 1 && quiet < QUIET_TICKS)) return;
    quiet = 1;
    const topic = formatTopic(base, { kind: 'request', node: run.node, verb: 'read' });
    const stamp = { ts: new Date(clock.wall()).toISOString(), boot: 0, seq: 1 };
    const body = { from: signer.id, owner: signer.id, item, epoch: run.epoch, ...reached };
    const payload = sealMessage(topic, body, stamp, signer.identity.sign);
    // A lost report is repeated soon.
    bus.publish({ topic, payload, qos: 0, retain: false }, () => undefined);
  }

  return {
    read: ({ node, epoch, stream, offset, text, lossy }) => {
      if (run?.node !== node || run.epoch !== epoch) {
        if (run !== undefined && epoch < run.epoch) return;
        run = { node, epoch };
        reached = { stdout: 0, stderr: 0 };
      }
      // The number of bytes behind a lossy text is unknown.
      const end = lossy ? offset : offset + Buffer.byteLength(text);
      reached = { ...reached, [stream]: Math.max(reached[stream], end) };
      quiet = 0;
      ticks ??= interval(REPORT_MS, clock.scheduler).subscribe(publishPosition);
    },
    stop: () => ticks?.unsubscribe(),
  };
}
