/**
 * Records the history of a mesh from the messages on the bus and the journal writes of owners.
 */
import type { BusPublish } from '../../bus/bus.js';
import type { JournalChange } from '../../journal/journal.js';
import type { Codec } from '../../protocol/codec.js';
import { SIM_BASE } from '../settings.js';
import { createConvergence, type Convergence } from './convergence.js';
import type { History, JobHistory, HistoryStep } from './history.js';
import type { Job } from './workload.js';

/** The recorder of one run. */
export interface Chronicle {
  readonly convergence: Convergence;
  published(from: string, message: BusPublish): void;
  journalled(change: JournalChange): void;
  submitted(job: Job): void;
  /** Jobs that have not settled yet. */
  readonly open: number;
  /** Begin and end the measured time; `delivered` is the number of messages delivered so far. */
  begin(delivered: number): void;
  end(delivered: number): void;
  history(): History;
}

/** Creates an empty chronicle. */
export function createChronicle(nodes: number, now: () => number, codec: Codec): Chronicle {
  const jobs = new Map<string, JobHistory>();
  const steps: HistoryStep[] = [];
  const trits = new Map<string, number>();
  const acked = new Map<string, number>();
  const convergence = createConvergence();
  const counts = { flips: 0, claims: 0, published: 0, delivered: 0 };
  let from = Number.POSITIVE_INFINITY;
  let until = Number.POSITIVE_INFINITY;
  let agreedBefore = 0;
  let agreedUntil = 0;
  let open = 0;

  const isCounting = (): boolean => now() >= from && now() < until;

  function published(_from: string, message: BusPublish): void {
    if (isCounting()) counts.published += 1;
    const topic = codec.parseTopic(SIM_BASE, message.topic);
    switch (topic?.kind) {
      case 'trit':
        return handleTrit(topic.node, Number(message.payload));
      case 'claim':
        if (isCounting()) counts.claims += 1;
        return;
      case 'ack':
        return handleAck(topic.owner, topic.item, JSON.parse(message.payload) as { epoch: number; to: string });
      case 'event':
        return handleEvent(topic.node, JSON.parse(message.payload) as Readonly<Record<string, unknown>>);
      default:
    }
  }

  function handleTrit(node: string, trit: number): void {
    const before = trits.get(node);
    trits.set(node, trit);
    if (before !== undefined && before !== trit && isCounting()) counts.flips += 1;
    convergence.tritPublished(node, trit, now());
  }

  /** An ack is repeated until it is answered: only the first one of an epoch counts. */
  function handleAck(owner: string, item: string, ack: { readonly epoch: number; readonly to: string }): void {
    if ((acked.get(item) ?? 0) >= ack.epoch) return;
    acked.set(item, ack.epoch);
    steps.push({ kind: 'taken', at: now(), item, owner, node: ack.to });
  }

  function handleEvent(owner: string, event: Readonly<Record<string, unknown>>): void {
    if (event['event_type'] !== 'item_moved') return;
    steps.push({ kind: 'left', at: now(), item: String(event['item']), owner, node: String(event['from']) });
  }

  function journalled({ key, value }: JournalChange): void {
    if (!key.startsWith('item/') || value === undefined) return;
    const { phase } = value as { readonly phase: string };
    const job = jobs.get(key.slice('item/'.length));
    if (job === undefined || job.settledAt !== undefined || !ENDS.has(phase)) return;
    open -= 1;
    jobs.set(job.item, { ...job, settledAt: now(), done: phase === 'done' });
  }

  return {
    convergence,
    published,
    journalled,
    submitted: ({ item, node, at, sizeMs }) => {
      open += 1;
      jobs.set(item, { item, owner: node, submittedAt: at, sizeMs, settledAt: undefined, done: false });
    },
    get open() {
      return open;
    },
    begin: (delivered) => {
      from = now();
      counts.delivered = -delivered;
      agreedBefore = convergence.tookMs.length;
    },
    end: (delivered) => {
      until = now();
      counts.delivered += delivered;
      agreedUntil = convergence.tookMs.length;
    },
    history: () => ({
      nodes,
      from,
      until,
      jobs: [...jobs.values()],
      steps,
      ...counts,
      convergenceMs: convergence.tookMs.slice(agreedBefore, agreedUntil),
    }),
  };
}

/** Phases in which a job has ended, `lost` included. */
const ENDS: ReadonlySet<string> = new Set(['done', 'failed', 'cancelled', 'lost']);
