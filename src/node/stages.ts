/**
 * The stages that handle the inputs of a node, in the order in which each input passes them. The order is data, with a
 * line on why each stage stands where it does.
 */
import { isToLeave } from '../core/receiver/policy.js';
import { splitGuest } from '../core/receiver/guest-name.js';
import { pinKey } from '../pipelines/mesh/key-pins.js';
import { answerRequest, type AnswerDeps } from '../pipelines/requests/answer.js';
import { trackOffers } from '../pipelines/receiver/claim.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { createCallAnswerer } from './answer-call.js';
import { createCleanAnswerer } from './answer-clean.js';
import type { NodeContext } from './context.js';
import type { NodePorts } from './ports.js';
import { DRAIN_KEY, type RecoveredJournal } from './recover-journal.js';
import { wireExternalMoves } from './wire-external-moves.js';

/** One stage. */
export interface Stage {
  readonly name: string;
  /** Why it stands at this place. */
  readonly why: string;
  handle(input: NodeInput): void;
}

/** Lists the stages of a node. `unreadable`: journal entries that could not be read. */
export function listStages(
  context: NodeContext,
  ports: NodePorts,
  unreadable: RecoveredJournal['faults'],
): readonly Stage[] {
  const { log, reach, busClock, nodeState, items, guests, renaming, twins, throttling } = context;
  const answers = answerDeps(context);
  return [
    {
      name: 'log',
      why: 'first: an input is logged before it has any effect',
      handle: log.handle,
    },
    {
      name: 'reach',
      why: 'whether the broker is there decides what every later stage may promise',
      handle: reach.handle,
    },
    {
      name: 'bus clock',
      why: 'owners give up by it, so it is read before the items use it',
      handle: busClock.handle,
    },
    {
      name: 'guest index',
      why: 'splitting the load into own and guests needs to know the guest of each process',
      handle: (input) => {
        if (input.type === 'ProcessesListed') context.guestIndex.update(input.processes);
      },
    },
    {
      name: 'node state',
      why: 'items and guests decide by what this node is and accepts',
      handle: nodeState.handle,
    },
    {
      name: 'items',
      why: 'before the guests: the same input opens the item and the guest of an external process',
      handle: items.handle,
    },
    {
      name: 'guests',
      why: 'after the items, for the same reason',
      handle: guests.handle,
    },
    {
      name: 'open offers',
      why: 'after the guests: they handle the repeated offer of a claimed epoch, which must not be claimed again',
      handle: (input) => {
        if (trackOffers(context.openOffers, input, context.clock.now()) || DIRTYING.has(input.type))
          context.markDirty();
      },
    },
    {
      name: 'rename',
      why: 'sends away guests, which the stages before it know by now',
      handle: renaming.handle,
    },
    {
      name: 'twins',
      why: 'may ask the node to leave: after everything that this input writes',
      handle: twins.handle,
    },
    {
      name: 'settings',
      why: 'what people set is written and applied once the node state has it',
      handle: (input) => handleSetting(context, input),
    },
    {
      name: 'writes',
      why: 'responses, events and pins wait behind the writes that earlier stages requested',
      handle: (input) => handleWrite(context, input),
    },
    {
      name: 'throttle',
      why: 'uses what every earlier stage made of the input: load, runs, guests that end',
      handle: throttling.handle,
    },
    {
      name: 'answers',
      why: 'a request is decided once all stages have handled the input',
      handle: (input) => answerRequest(input, answers),
    },
    {
      name: 'external moves',
      why: 'handles what the answers leave to it: moves of external processes',
      handle: wireExternalMoves(context, ports),
    },
    {
      name: 'calls',
      why: 'slow, so it stands behind everything that is decided at once',
      handle: createCallAnswerer(context, ports),
    },
    {
      name: 'clean',
      why: 'last: it removes what none of the stages before it needs',
      handle: createCleanAnswerer(context, ports, unreadable),
    },
  ];
}

function answerDeps(context: NodeContext): AnswerDeps {
  const { nodeState, clock, inbox, guestIndex } = context;
  return {
    self: context.settings.id,
    members: context.members,
    mesh: context.reach.rules,
    clock,
    items: context.ownedItems,
    guests: context.heldGuests,
    wasRetired: context.retired.has,
    renaming: context.renaming,
    twins: context.twins,
    push: inbox.push,
    acceptance: nodeState.acceptance,
    guestOfPid: guestIndex.findByPid,
    heaviestGuests: guestIndex.heaviest,
  };
}

/** Inputs that change what offers, claims and wakes depend on, besides those that change an item or a guest. */
const DIRTYING: ReadonlySet<NodeInput['type']> = new Set([
  'LoadClassified',
  'DiskMeasured',
  'RenameWanted',
  'JournalChanged',
  'MemberChanged',
  'MeshChanged',
  'SetHeard',
  'LinkChanged',
]);

function handleSetting(context: NodeContext, input: NodeInput): void {
  if (input.type === 'GuestInput' && input.input.type === 'RunStarted') return vacateNew(context, input.guest);
  if (input.type !== 'SetHeard' || input.key !== 'drain') return;
  context.effectQueue.enqueue('node', [{ type: 'Persist', key: DRAIN_KEY, value: input.value === 'ON' }]);
  if (input.value !== 'ON') return;
  for (const guest of context.heldGuests.keys()) vacate(context, guest);
}

/** A run that starts while its guest is about to leave is sent away again. */
function vacateNew(context: NodeContext, guest: string): void {
  const { nodeState, renaming, settings } = context;
  const policy = { self: settings.id, draining: nodeState.draining, isRenamed: renaming.wanted !== undefined };
  if (isToLeave(policy, splitGuest(guest).owner)) vacate(context, guest);
}

function vacate(context: NodeContext, guest: string): void {
  const reason = `${context.settings.id} drains`;
  context.inbox.push({ type: 'GuestInput', guest, input: { type: 'VacateWanted', reason } });
}

function handleWrite({ effectQueue }: NodeContext, input: NodeInput): void {
  switch (input.type) {
    case 'KeyPinned':
      return effectQueue.enqueue('node', [{ type: 'Persist', key: pinKey(input.node), value: input.key }]);
    case 'RequestAnswered':
      return effectQueue.enqueue(input.subject, [input.response]);
    case 'EventWanted':
      return effectQueue.enqueue('request/event', [input.event]);
    case 'AfterAsked':
      return effectQueue.after(input.subject, input.done);
    default:
  }
}
