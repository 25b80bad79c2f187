/**
 * Every reason why a member does not take an item, why an item waits, and why something is refused: a code for programs
 * and one sentence for people, which travel together. The sentences are defined here and nowhere else.
 */

/** A reason: `code` is stable and for programs, `text` is the sentence for people. */
export interface Reason {
  readonly code: ReasonCode;
  readonly text: string;
}

/** The code of a reason. A newer version may send codes that this version does not know. */
export type ReasonCode = keyof typeof REASONS;

/** The sentence of each code; the arguments are the values that appear in it. */
const REASONS = {
  // Why a member does not take an item.
  offline: (): string => 'offline',
  unborn: (): string => 'its birth message has not been heard yet',
  'out-of-reach': (why: string): string => `it cannot be reached: ${why}`,
  'not-asked-for': (on: string): string => `only ${on} was asked for`,
  'away-from-owner': (): string => 'the item must run on a node other than its owner',
  'gave-it-up': (): string => 'it refused or gave up the item before',
  'wrong-arch': (has: string, needed: string): string => `arch is ${has}, ${needed} is needed`,
  'wrong-os': (has: string, needed: string): string => `os is ${has}, ${needed} is needed`,
  'lacks-label': (label: string): string => `it lacks the label ${label}`,
  'lacks-ability': (ability: string): string => `it lacks the ability ${ability}`,
  draining: (): string => 'it is draining',
  'accepts-nothing': (): string => 'it accepts no work from others',
  plus: (): string => 'it is PLUS (overloaded)',
  ergodic: (): string => 'it is ERGODIC (busy), only MINUS nodes receive',
  'too-few-slots': (slots: number, needed: number): string => `it has ${slots} slots, ${needed} are needed`,
  'too-little-memory': (free: string, needed: string): string => `it has ${free} of free memory, ${needed} is needed`,
  'disk-full': (): string => 'its disk is full: it takes no work',
  'too-little-disk': (needed: string, free: string): string =>
    `needs ${needed} of disk space, ${free} is free for guests`,
  'slots-taken': (free: number, slots: number, needed: number): string =>
    `its slots are taken: ${free} of ${slots} free, ${needed} needed`,

  // Why an item waits.
  'sum-not-positive': (): string => 'rebalance is gf3 and the mesh sum is not above 0',
  'sum-not-negative': (): string => 'it is deferred and the mesh sum is no longer negative',
  'no-receiver': (): string => 'no receiver: see why each node does not take it',
  alone: (why: string, self: string, reason: string): string => `${why}, so only ${self} could take it: ${reason}`,
  'behind-others': (): string => 'waits behind other items of this owner',

  // Why a receiver refuses an item that it claimed.
  'journal-fault': (fault: string): string => `its journal cannot be written: ${fault}`,
  'owner-not-accepted': (owner: string): string => `it accepts no work from ${owner}`,
  'earlier-claim': (): string => 'the ack answers an earlier claim',
  'lease-over': (): string => 'the ack arrived after its lease had ended',
  'claim-given-up': (): string => 'its claim was withdrawn before the ack arrived',
  'ack-not-heard': (): string => 'it never received the ack',
  'ack-incomplete': (what: string): string => `the ack ${what}`,

  // Why a request is refused.
  'no-such-request': (verb: string): string => `no such request: ${verb}`,
  'journal-faulty': (fault: string): string => `the journal cannot be written: ${fault}`,
  'being-renamed': (self: string, to: string): string =>
    `${self} is being renamed to ${to}: submit it there when it is done`,
  'asker-not-accepted': (self: string, asker: string): string => `${self} accepts no work from ${asker}`,
  'paths-of-others': (self: string): string =>
    `item.inputs and item.destination are paths on this machine: only ${self} itself may name them`,
  'process-of-others': (self: string): string =>
    `item.process is a process of this machine: only ${self} itself may name it; use the request migrate instead`,
  'no-such-item': (item: string): string => `no such item here: ${item}`,
  'item-of-another': (item: string, owner: string): string =>
    `item ${item} runs here but belongs to ${owner}: ask ${owner}`,
  'has-ended': (item: string, phase: string): string => `item ${item} has ended already (${phase})`,
  'has-run': (item: string, code: string): string =>
    `item ${item} has run already (exit code ${code}): its outputs are on their way home and are kept`,
  'not-lost': (item: string, phase: string): string => `item ${item} is ${phase}, only a lost item can be retried`,
  'nothing-to-fetch': (item: string, phase: string): string =>
    `item ${item} is ${phase}: there is nothing to fetch yet`,

  // Why an item is not moved.
  ended: (phase: string): string => `it has ended (${phase})`,
  'here-only': (): string => 'it is to run here only',
  lost: (): string => 'it is lost; retry or cancel it',
  'on-its-way-home': (): string => 'it has run, its outputs are on their way home',
  'being-stopped': (order: string): string => `it is being stopped already (${order})`,
  'being-moved': (): string => 'it is being moved already',
  'never-moves': (): string => 'it has started and was submitted with migrate: never',
  'runs-once': (): string => 'it may have started and must run only once',
};

/** All codes, in the order of their groups. */
export const REASON_CODES: readonly ReasonCode[] = Object.keys(REASONS) as ReasonCode[];

/** Creates the reason with this code; `values` are the arguments of its sentence. */
export function explain<C extends ReasonCode>(code: C, ...values: Parameters<(typeof REASONS)[C]>): Reason {
  // `values` matches the sentence of `code`, but TypeScript cannot follow that through the union.
  const sentence = REASONS[code] as (...given: readonly (string | number)[]) => string;
  return { code, text: sentence(...values) };
}
