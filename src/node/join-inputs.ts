/**
 * Joins what comes in: messages, events of runs and samples become inputs, and each input goes through the stages that
 * understand it, in the order of an item's life.
 */
import { connect, EMPTY, filter, map, merge, NEVER, switchMap, type Observable } from 'rxjs';
import { guestName } from '../core/receiver/guest.js';
import { answerRequest, type AnswerParts } from '../pipelines/answer.js';
import { keepBook } from '../pipelines/claim.js';
import { classify, type Classified } from '../pipelines/classify.js';
import { trackMembers } from '../pipelines/derive.js';
import type { NodeInput } from '../pipelines/inputs.js';
import { watchLoopback } from '../pipelines/loopback.js';
import { measureDisk } from '../pipelines/measure-disk.js';
import { splitGuest } from '../pipelines/perform-parts.js';
import { createReceiver, type Receiver } from '../pipelines/receive.js';
import { sense } from '../pipelines/sense.js';
import { wireCodec } from '../protocol/codec.js';
import { formatTopic, nodeFilters } from '../protocol/topics.js';
import type { RunEvent } from '../run/runner.js';
import { layPreflight } from './lay-preflight.js';
import type { NodePorts } from './ports.js';
import { DRAIN_KEY } from './restore.js';
import type { Workbench } from './context.js';

/** Joins the ports to the inbox, and the inbox to the stages. */
export function joinInputs(bench: Workbench, ports: NodePorts): void {
  const { settings, view, clock, inbox } = bench;
  const receiver = createReceiver({
    self: settings.id,
    base: settings.base,
    identity: ports.identity,
    view,
    pins: bench.pins,
    keyOf: bench.keyOf,
    unsignedVerbs: settings.unsignedVerbs,
    wall: () => clock.wall(),
    codec: ports.codec ?? wireCodec,
    said: bench.said,
  });
  joinMembers(bench, receiver);
  joinDirect(bench, ports, receiver);
  const answers = answerParts(bench);
  const preflight = layPreflight(bench, ports);
  bench.live(inbox.inputs$).subscribe((input) => {
    passThrough(bench, input, answers);
    preflight(input);
  });
  const messages$ = merge(ports.bus.messages$, ports.door?.messages$ ?? NEVER);
  bench.live(messages$).subscribe((message) => pushHeard(bench, receiver.receive(message)));
  bench.live(ports.door?.refused$ ?? NEVER).subscribe((reason) => {
    inbox.push({ type: 'MessageRefused', topic: 'the local socket', reason });
  });
  bench.live(inbox.inputs$).subscribe((input) => {
    if (input.type === 'RequestHeard') heedReader(ports, input);
  });
  bench
    .live(ports.workspace.left$ ?? EMPTY)
    .subscribe(({ path, reason }) => inbox.push({ type: 'RemovalFailed', path, reason }));
  bench.live(ports.bus.link$).subscribe((link) => {
    const { state, ...end } = link;
    inbox.push({ type: 'LinkChanged', reason: '', ...end, online: state === 'online' });
  });
  bench.live(ports.bus.refused$).subscribe((refused) => inbox.push({ type: 'PublishRefused', ...refused }));
  const birth = formatTopic(settings.base, { kind: 'info', node: settings.id });
  bench
    .live(watchLoopback({ link$: ports.bus.link$, messages$: ports.bus.messages$, topic: birth, clock }))
    .subscribe((works) => inbox.push({ type: 'LoopbackChanged', works, topic: birth }));
  bench.live(ports.runner.events$).subscribe((event) => pushRunEvent(bench, event));
  if (clock.faults$ !== undefined) bench.live(clock.faults$).subscribe((sentence) => bench.notes.say('warn', sentence));
  ports.bus.subscribe(nodeFilters(settings.base, settings.id));
  bench.live(bench.busClock.ticks$).subscribe(() => bench.busClock.read());
  bench.live(inbox.quiet$).subscribe(() => bench.renaming.look());
  bench.live(bench.begun$.pipe(switchMap(() => senseInputs(bench, ports)))).subscribe(inbox.push);
}

/** Taken once all that the journal knew is taken up: what is not known yet must not be called unknown. */
function joinDirect(bench: Workbench, { direct }: NodePorts, receiver: Receiver): void {
  bench.live(bench.begun$).subscribe(() => {
    direct?.open((peerKey, message) => {
      const { verdict, input } = receiver.receiveDirect(peerKey, message);
      pushHeard(bench, input);
      return verdict;
    });
  });
}

/** How long a reader is believed to be there; it speaks up several times within that. */
const READER_MS = 15_000;

/** Only who speaks for the owner may hold its job. */
function heedReader({ runner }: NodePorts, { request, signedBy }: Extract<NodeInput, { type: 'RequestHeard' }>): void {
  if (request.verb !== 'read' || signedBy !== request.owner) return;
  runner.heed(guestName(request), request, READER_MS);
}

function pushHeard(bench: Workbench, input: NodeInput | undefined): void {
  if (input !== undefined) bench.inbox.push(input);
}

/** The view comes first: every later stage reads it. A birth lets in the state that came before it. */
function joinMembers(bench: Workbench, receiver: Receiver): void {
  bench.live(trackMembers(bench.inbox.heard$, bench.view, bench.clock)).subscribe(({ type, node }) => {
    bench.inbox.push({ type: 'MemberChanged' });
    if (type !== 'InfoHeard') return;
    bench.inbox.push({ type: 'MemberBorn', node });
    bench.twins.meet(node, bench.view.get(node)?.info);
    bench.performer.release(node);
    const early = receiver.release(node);
    if (early !== undefined) pushHeard(bench, receiver.receive(early));
  });
}

function passThrough(bench: Workbench, input: NodeInput, answers: AnswerParts): void {
  const { notes, reach, busClock, condition, own, host, book, clock, guests, gate, throttling } = bench;
  notes.take(input);
  reach.take(input);
  busClock.take(input);
  if (input.type === 'ProcessesListed') guests.update(input.processes);
  condition.take(input);
  own.take(input);
  host.take(input);
  if (keepBook(book, input, clock.now()) || STIRRING.has(input.type)) bench.stir();
  bench.renaming.take(input);
  bench.twins.take(input);
  if (input.type === 'SetHeard') applySetting(bench, input.key, input.value);
  if (input.type === 'RequestAnswered') gate.take(input.subject, [input.response]);
  if (input.type === 'EventWanted') gate.take('request/event', [input.event]);
  if (input.type === 'AfterAsked') gate.after(input.subject, input.done);
  // Last: it goes by what the stages before it made of the input.
  throttling.take(input);
  answerRequest(input, answers);
}

function answerParts(bench: Workbench): AnswerParts {
  const { condition, own, host, clock, inbox, guests } = bench;
  return {
    self: bench.settings.id,
    view: bench.view,
    mesh: bench.reach.rules,
    clock,
    items: own.ledger.states,
    guests: host.ledger.states,
    wasRetired: bench.retired.has,
    renaming: bench.renaming,
    twins: bench.twins,
    push: inbox.push,
    journalFault: () => condition.journalFault,
    guestOfPid: guests.findByPid,
    heaviestGuests: guests.heaviest,
  };
}

/** Inputs that change what offers, claims and wakes go by, beside those that change an item or a guest. */
const STIRRING: ReadonlySet<NodeInput['type']> = new Set([
  'LoadClassified',
  'DiskMeasured',
  'RenameWanted',
  'JournalChanged',
  'MemberChanged',
  'MeshChanged',
  'SetHeard',
  'LinkChanged',
]);

function applySetting(bench: Workbench, key: string, value: string): void {
  if (key !== 'drain') return;
  bench.gate.take('node', [{ type: 'Persist', key: DRAIN_KEY, value: value === 'ON' }]);
  if (value !== 'ON') return;
  for (const guest of bench.host.ledger.states.keys()) {
    vacate(bench, guest);
  }
}

function vacate(bench: Workbench, guest: string): void {
  const reason = `${bench.settings.id} drains`;
  bench.inbox.push({ type: 'GuestFact', guest, fact: { type: 'VacateWanted', reason } });
}

function pushRunEvent(bench: Workbench, event: RunEvent): void {
  const { run: guest } = event;
  if (event.type === 'RunOutput') return sayOutput(bench, event);
  const { run: _run, ...fact } = event;
  bench.inbox.push({ type: 'GuestFact', guest, fact });
  if (event.type === 'RunStarted' && leaves(bench, guest)) vacate(bench, guest);
}

/** Whether a run that begins now is to go again: everything while the node drains, what is of others while it is being renamed. */
function leaves({ condition, renaming, settings }: Workbench, guest: string): boolean {
  return condition.draining || (renaming.wanted !== undefined && splitGuest(guest).owner !== settings.id);
}

function sayOutput(bench: Workbench, event: Extract<RunEvent, { type: 'RunOutput' }>): void {
  const { owner, item, epoch } = splitGuest(event.run);
  const { stream, offset, text, lossy } = event;
  bench.speaker.say({
    type: 'Say',
    kind: 'log',
    topic: { kind: 'log', owner, item, node: bench.settings.id },
    body: { epoch, stream, offset, text, lossy },
  });
}

/** The senses: samples are classified, lists and faults pass as they are. */
function senseInputs(bench: Workbench, ports: NodePorts): Observable<NodeInput> {
  return sense(ports.sense).pipe(
    connect((sensed$) => {
      const load$ = sensed$.pipe(
        filter((sensed) => sensed.type === 'LoadSampled'),
        map((sensed) => sensed.sample),
      );
      const disk$ = sensed$.pipe(
        filter((sensed) => sensed.type === 'DiskSampled'),
        map((sensed) => sensed.sample),
      );
      const others$ = sensed$.pipe(filter((sensed) => sensed.type !== 'LoadSampled' && sensed.type !== 'DiskSampled'));
      const measures$ = measureDisk(disk$, bench.settings.diskReserve);
      return merge(
        classify(load$, bench.settings.trit, bench.clock).pipe(map(toInput)),
        measures$.pipe(map((measure): NodeInput => ({ type: 'DiskMeasured', ...measure }))),
        others$,
      );
    }),
  );
}

function toInput({ sample, trit, changed }: Classified): NodeInput {
  return { type: 'LoadClassified', sample, trit, changed };
}
