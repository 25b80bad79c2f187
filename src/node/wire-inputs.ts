/**
 * Wires the inputs: each port to the inbox, and the inbox to the stages (stages.ts). Ports produce only inputs, and
 * only the stages know what they mean.
 */
import { EMPTY, merge, NEVER, switchMap } from 'rxjs';
import { guestName, splitGuest } from '../core/receiver/guest-name.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { createMessageDecoder, type MessageDecoder } from '../pipelines/mesh/decode-messages.js';
import { watchLoopback } from '../pipelines/mesh/loopback.js';
import { trackMembers } from '../pipelines/mesh/members.js';
import { wireCodec } from '../protocol/codec.js';
import { formatTopic, nodeFilters, workFilters } from '../protocol/topics.js';
import type { RunEvent } from '../run/runner.js';
import type { NodeContext } from './context.js';
import type { NodePorts } from './ports.js';
import type { RecoveredJournal } from './recover-journal.js';
import { listStages } from './stages.js';
import { wireDoor } from './wire-door.js';
import { senseInputs } from './wire-sense.js';

/** Wires the ports to the inbox, and the inbox to the stages. `unreadable`: journal entries that could not be read. */
export function wireInputs(context: NodeContext, ports: NodePorts, unreadable: RecoveredJournal['faults']): void {
  const { inbox, renaming } = context;
  const decoder = createDecoder(context, ports);
  wireMembers(context, decoder);
  wireDirect(context, ports, decoder);
  const stages = listStages(context, ports, unreadable);
  context.live(inbox.inputs$).subscribe((input) => {
    for (const stage of stages) stage.handle(input);
  });
  wireBus(context, ports, decoder);
  wireRuns(context, ports);
  context
    .live(ports.workspace.left$ ?? EMPTY)
    .subscribe(({ path, reason }) => inbox.push({ type: 'RemovalFailed', path, reason }));
  wireClocks(context);
  context.live(context.settled$).subscribe(renaming.leaveIfDone);
  context.live(context.begun$.pipe(switchMap(() => senseInputs(context, ports)))).subscribe(inbox.push);
}

function createDecoder(context: NodeContext, ports: NodePorts): MessageDecoder {
  const { settings, members, clock, pins, keyOf } = context;
  return createMessageDecoder({
    self: settings.id,
    base: settings.base,
    identity: ports.identity,
    members,
    pins,
    keyOf,
    unsignedVerbs: settings.unsignedVerbs,
    wall: () => clock.wall(),
    codec: ports.codec ?? wireCodec,
    ownPublishing: context.ownPublishing,
  });
}

function pushHeard(context: NodeContext, input: NodeInput | undefined): void {
  if (input !== undefined) context.inbox.push(input);
}

/** The member table comes first: every stage reads it. A birth admits a state that came before it. */
function wireMembers(context: NodeContext, decoder: MessageDecoder): void {
  context.live(trackMembers(context.inbox.heard$, context.members, context.clock)).subscribe(({ type, node }) => {
    context.inbox.push({ type: 'MemberChanged' });
    if (type !== 'InfoHeard') return;
    context.inbox.push({ type: 'MemberBorn', node });
    context.twins.handleBirth(node, context.members.get(node)?.info);
    context.performer.release(node);
    const early = decoder.release(node);
    if (early !== undefined) pushHeard(context, decoder.receive(early));
  });
}

/**
 * Opened once everything in the journal has been taken over: an item that is not known yet must not be called unknown.
 */
function wireDirect(context: NodeContext, { direct }: NodePorts, decoder: MessageDecoder): void {
  context.live(context.begun$).subscribe(() => {
    direct?.open((peerKey, message) => {
      const { verdict, input } = decoder.receiveDirect(peerKey, message);
      pushHeard(context, input);
      return verdict;
    });
  });
}

function wireBus(context: NodeContext, { bus, door }: NodePorts, decoder: MessageDecoder): void {
  const { inbox, settings, clock } = context;
  const local = door === undefined ? undefined : wireDoor(context, bus, door);
  const messages$ = merge(bus.messages$, door?.messages$ ?? NEVER);
  context.live(messages$).subscribe((message) => {
    if (local?.show(message) !== true) pushHeard(context, decoder.receive(message));
  });
  context.live(bus.link$).subscribe((link) => {
    const { state, ...end } = link;
    inbox.push({ type: 'LinkChanged', reason: '', ...end, online: state === 'online' });
  });
  context.live(bus.refused$).subscribe((refused) => inbox.push({ type: 'PublishRefused', ...refused }));
  const birth = formatTopic(settings.base, { kind: 'info', node: settings.id });
  context
    .live(watchLoopback({ link$: bus.link$, messages$: bus.messages$, topic: birth, clock }))
    .subscribe((works) => inbox.push({ type: 'LoopbackChanged', works, topic: birth }));
  // Its own birth and states must come back: they show whether it can be heard, and whether there is a copy of it.
  bus.subscribe(nodeFilters(settings.base, settings.id));
  bus.subscribe(workFilters(settings.base, settings.id), { noLocal: true });
}

function wireClocks({ clock, busClock, log, live }: NodeContext): void {
  if (clock.faults$ !== undefined) live(clock.faults$).subscribe((sentence) => log.log('warn', sentence));
  live(busClock.ticks$).subscribe(() => busClock.read());
}

/** How long a reader is believed to be there, ms; it reports several times within that. */
const READER_MS = 15_000;

function wireRuns(context: NodeContext, { runner }: NodePorts): void {
  context.live(runner.events$).subscribe((event) => pushRunEvent(context, event));
  context.live(context.inbox.inputs$).subscribe((input) => {
    if (input.type !== 'RequestHeard' || input.request.verb !== 'read') return;
    // Only a reader that acts for the owner may hold its job.
    if (input.signedBy === input.request.owner) runner.heed(guestName(input.request), input.request, READER_MS);
  });
}

function pushRunEvent(context: NodeContext, event: RunEvent): void {
  if (event.type === 'RunOutput') return publishOutput(context, event);
  const { run: guest, ...input } = event;
  context.inbox.push({ type: 'GuestInput', guest, input });
}

function publishOutput(context: NodeContext, event: Extract<RunEvent, { type: 'RunOutput' }>): void {
  const { owner, item, epoch } = splitGuest(event.run);
  const { stream, offset, text, lossy } = event;
  context.publisher.publish({
    type: 'Publish',
    kind: 'log',
    topic: { kind: 'log', owner, item, node: context.settings.id },
    body: { epoch, stream, offset, text, lossy },
  });
}
