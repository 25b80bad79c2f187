/**
 * Moves an external process, on request or because the node wants to shed it. It reports what prevents the move before
 * anything is stopped, asks the best receivers whether the image would fit there, and only then turns the process into
 * an item.
 */
import type { Checkpoint } from '../../checkpoint/checkpoint.js';
import type { Clock } from '../../clock/clock.js';
import { publish } from '../../core/effects.js';
import { rankReceivers } from '../../core/mesh/ranking.js';
import type { MeshRules } from '../../core/mesh/member.js';
import type { MemberTable } from '../../core/mesh/member-table.js';
import { findProtected } from '../../core/processes/protected-processes.js';
import { clip } from '../../protocol/clip.js';
import { estimateSeconds } from '../../core/placement/move-cost.js';
import {
  CANDIDATES_MAX,
  composeProcessItem,
  describeNobody,
  listMovedTogether,
  needOfImage,
} from '../../core/placement/external-move.js';
import type { ProcessFacts } from '../../core/processes/process-facts.js';
import type { Guest } from '../../core/receiver/guest.js';
import { isLive } from '../../core/receiver/guest.js';
import { findGainObstacle, findNodeObstacle, type ShedContext } from '../../core/placement/shedding.js';
import type { ImageFacts } from '../../protocol/image-facts.js';
import { formatItemId, ITEM_ID_ENDS } from '../../protocol/item-name.js';
import type { Info } from '../../protocol/messages.js';
import type { FitChecks } from './fit-check.js';
import type { NodeInput } from '../inputs.js';
import { respond, type Answer } from '../requests/respond.js';

/** What the stage needs. */
export interface ExternalMovesDeps {
  readonly self: string;
  /** Pid of this node and port of the broker, by which protected processes are found. */
  readonly pid: number;
  readonly brokerPort: number;
  readonly info: Info;
  readonly members: MemberTable;
  /** The current rules of the mesh. */
  mesh(): MeshRules;
  readonly clock: Clock;
  readonly checkpoint: Checkpoint | undefined;
  readonly guests: ReadonlyMap<string, Guest>;
  /** The directory below which the image would be written. */
  imageDirectory(item: string): string;
  isKnownItem(item: string): boolean;
  journalFault(): string | undefined;
  belongsToRun(pid: number): boolean;
  /** Input of the decision to move something that nobody asked to move. */
  shedding(): ShedContext;
  /** Bytes of image per second to a node, as far as measured. */
  paceTo(node: string): number | undefined;
  push(input: NodeInput): void;
}

/** A process that is to move. */
interface MoveIntent {
  readonly pid: number;
  readonly start: string | undefined;
  readonly to: string | undefined;
  /** A person or script asked for it: whether it pays is for them to judge. */
  readonly isRequested: boolean;
  readonly reason: string;
}

/** Handles requests and decisions to move external processes. */
export interface ExternalMoves {
  handle(input: NodeInput): void;
}

/** Creates the stage. */
export function createExternalMoves(deps: ExternalMovesDeps, checks: FitChecks): ExternalMoves {
  const { self, checkpoint, clock } = deps;
  const busy = new Set<number>();
  let count = 0;

  /** Calls `done` once with whatever comes of it. */
  function move(intent: MoveIntent, done: (answer: Answer) => void): void {
    const { pid, start } = intent;
    const fault = findFault(pid);
    if (fault !== undefined || checkpoint === undefined)
      return done({ error: fault ?? 'this node cannot freeze a process' });
    const processes = checkpoint.identify(pid);
    const subject = processes.get(pid);
    if (subject?.start === undefined || (start !== undefined && start.split('@')[0] !== subject.start))
      return done({ error: `there is no process ${pid}` });
    for (const one of listMovedTogether(subject, processes)) {
      const protection = findProtected(one, { ...deps, self: deps.pid, processes });
      const who = one === subject ? '' : ` (process ${one.pid} in its container)`;
      if (protection !== undefined) return done({ error: `process ${pid} is never moved: ${protection}${who}` });
    }
    busy.add(pid);
    preflight(checkpoint, subject, { ...intent, start: subject.start }, (answer) => {
      busy.delete(pid);
      done(answer);
    });
  }

  function findFault(pid: number): string | undefined {
    const fault = deps.journalFault();
    if (fault !== undefined) return `the journal cannot be written: ${fault}`;
    if (busy.has(pid)) return `process ${pid} is already being checked for a move`;
    const guest = [...deps.guests.values()].find((one) => one.process?.pid === pid && isLive(one));
    return guest === undefined ? undefined : `process ${pid} is already item ${guest.item}`;
  }

  function preflight(
    using: Checkpoint,
    process: ProcessFacts,
    intent: MoveIntent & { readonly start: string },
    done: (answer: Answer) => void,
  ): void {
    const { pid } = process;
    const item = nameItem();
    const target = { pid, init: null, directory: deps.imageDirectory(item), knownAs: null };
    using.preflightDump(target, ({ obstacles, facts }) => {
      if (facts === null || obstacles.length > 0)
        return done({ error: `process ${pid} cannot be moved: ${obstacles.join('; ')}` });
      findReceiver(item, process, intent, facts, done);
    });
  }

  function findReceiver(
    item: string,
    process: ProcessFacts,
    { start, to, isRequested, reason: why }: MoveIntent & { readonly start: string },
    facts: ImageFacts,
    done: (answer: Answer) => void,
  ): void {
    const need = needOfImage(facts, deps.info);
    const on = to === undefined ? {} : { on: to };
    const avoid = isRequested ? [self] : [self, ...deps.shedding().excluded];
    const request = { owner: self, item, epoch: 1, need: { ...need, ...on }, avoid, deferred: false };
    const { ranked, blocked } = rankReceivers(deps.members, request, clock.now(), deps.mesh());
    const waste = isRequested ? undefined : findWaste(ranked, need.cpus, facts);
    if (waste !== undefined) return done({ error: `process ${process.pid} is not moved: ${waste}` });
    checks.check(ranked.slice(0, CANDIDATES_MAX), facts, (chosen, answers) => {
      if (chosen === undefined) {
        const relevant = to === undefined ? blocked : new Map([...blocked].filter(([node]) => node === to));
        const unknown = to === undefined || deps.members.has(to) ? '' : `no node ${to} is known`;
        const reason = unknown === '' ? describeNobody(answers, relevant, to === self ? '' : self) : unknown;
        return done({ error: `no node takes process ${process.pid}: ${reason}` });
      }
      const submitted = composeProcessItem(item, process, start, need, new Date(clock.wall()).toISOString());
      deps.push({ type: 'ItemSubmitted', item: submitted, to: chosen, reason: why });
      const seconds = estimateSeconds(facts.image_bytes, deps.paceTo(chosen));
      const expected = { image_bytes: facts.image_bytes, expected_ms: Math.round(1000 * seconds) };
      done({ data: { item, from: self, to: chosen, ...expected } });
    });
  }

  /** Why moving it now would not pay; used where nobody asked for the move. */
  function findWaste([best]: readonly string[], cpus: number, facts: ImageFacts): string | undefined {
    const shedding = deps.shedding();
    const image = { memoryBytes: facts.image_bytes, ranMs: facts.wall_ms };
    return (
      findNodeObstacle(shedding) ?? (best === undefined ? undefined : findGainObstacle(best, cpus, image, shedding))
    );
  }

  function nameItem(): string {
    for (;;) {
      count += 1;
      const id = formatItemId(Math.floor(clock.wall()), (deps.pid * 31 + count) % ITEM_ID_ENDS);
      if (!deps.isKnownItem(id)) return id;
    }
  }

  function publishRefusal(pid: number, error: string): void {
    const reason = clip(error);
    const body = { event_type: 'move_refused', pid, reason };
    deps.push({ type: 'EventWanted', event: publish({ kind: 'event', node: self }, body) });
  }

  return {
    handle: (input) => {
      if (input.type === 'ProcessMoveWanted')
        return move({ ...input, to: undefined, isRequested: false }, (answer) => {
          if ('error' in answer) publishRefusal(input.pid, `${answer.error} (wanted: ${input.reason})`);
        });
      if (input.type !== 'RequestHeard' || input.request.verb !== 'migrate') return;
      const { pid, to, transaction } = input.request;
      if (pid === undefined || deps.belongsToRun(pid)) return;
      const reason = to === undefined ? 'asked to move on request' : `asked to move to ${to} on request`;
      move({ pid, start: undefined, to, isRequested: true, reason }, (answer) => {
        const subject = 'data' in answer ? `item/${String(answer.data['item'])}` : 'request/migrate';
        respond('migrate', transaction, answer, subject, deps);
      });
    },
  };
}
