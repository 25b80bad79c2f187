/**
 * Wires the local socket: items that programs of this machine submit, and what they are shown of them. The output of an
 * item that runs elsewhere reaches this node only through the broker, so it is subscribed to once a program submits.
 */
import type { Bus, BusMessage } from '../bus/bus.js';
import type { LocalDoor, LocalSubmission } from '../bus/local-door.js';
import { itemSchema, type Item } from '../protocol/item.js';
import { formatTopic } from '../protocol/topics.js';
import type { NodeContext } from './context.js';

/** What the wiring of the bus needs to know of the local socket. */
export interface WiredDoor {
  /** Shows programs a message that is meant for them alone; whether it was one. */
  show(message: BusMessage): boolean;
}

/** Wires the socket of a node. */
export function wireDoor(context: NodeContext, bus: Bus, door: LocalDoor): WiredDoor {
  const { inbox, settings, live } = context;
  const { base, id: self } = settings;
  const logs = formatTopic(base, { kind: 'log', owner: self, item: '+', node: '+' });
  const own = logs.slice(0, logs.indexOf('+'));
  let isFollowing = false;

  live(door.refused$).subscribe((reason) => {
    inbox.push({ type: 'MessageRefused', topic: 'the local socket', reason });
  });
  live(bus.link$).subscribe(({ state }) => door.setOnline(state === 'online'));
  live(door.submissions$).subscribe((submission) => {
    if (!isFollowing) bus.subscribe([logs]);
    isFollowing = true;
    const read = readSubmission(submission);
    if (typeof read === 'string') submission.answer(read);
    else inbox.push({ type: 'SubmissionHeard', item: read, done: submission.answer });
  });

  return {
    show: ({ topic, payload }) => {
      if (!isFollowing || !topic.startsWith(own)) return false;
      const [, kind, node] = topic.slice(own.length).split('/');
      if (kind !== 'log') return false;
      // What this node writes itself has been shown already.
      if (node !== self) door.show({ topic, payload: Buffer.from(payload).toString(), qos: 0, retain: false });
      return true;
    },
  };
}

/** The item, or why it is refused. The node opens no path that a program names, so an item with files is refused. */
function readSubmission({ item }: LocalSubmission): Item | string {
  const parsed = itemSchema.safeParse(item);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `item.${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`;
  }
  const { inputs, destination, command, process } = parsed.data;
  const hasFiles = inputs.length > 0 || destination !== undefined || command.outputs.length > 0;
  if (hasFiles || process !== undefined) {
    return 'an item that names files or a process of this machine must be sent as a signed request';
  }
  return parsed.data;
}
