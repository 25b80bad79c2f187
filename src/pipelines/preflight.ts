/**
 * The preflight stage: a process that tritmesh did not start is to be moved. It says what stands in the way before anything is
 * stopped, asks the best receivers whether the image would fit there, and only then makes an item of the process.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Clock } from '../clock/clock.js';
import { say } from '../core/effects.js';
import { rankReceivers } from '../core/election.js';
import type { MeshRules } from '../core/member.js';
import type { MeshView } from '../core/mesh.js';
import { findUntouchable } from '../core/never-list.js';
import { clip } from '../protocol/clip.js';
import { expectSeconds } from '../core/payoff.js';
import { CANDIDATES_MAX, composeProcessItem, describeNobody, listCompany, needOfImage } from '../core/preflight.js';
import type { ProcessFacts } from '../core/process-facts.js';
import type { Guest } from '../core/receiver/guest.js';
import { isLive } from '../core/receiver/guest.js';
import { findGainObstacle, findNodeObstacle, type SheddingFacts } from '../core/shedding.js';
import type { ImageFacts } from '../protocol/image-facts.js';
import { formatItemId, ITEM_ID_ENDS } from '../protocol/item.js';
import type { Info } from '../protocol/messages.js';
import type { FitAsks } from './fit-asks.js';
import type { NodeInput } from './inputs.js';
import { respond, type Answer } from './respond.js';

/** What it needs of the node. */
export interface PreflightParts {
  readonly self: string;
  /** This process, and the port of the broker: what the never-list goes by. */
  readonly pid: number;
  readonly brokerPort: number;
  readonly info: Info;
  readonly view: MeshView;
  /** The rules of the mesh as they are now. */
  mesh(): MeshRules;
  readonly clock: Clock;
  readonly checkpoint: Checkpoint | undefined;
  readonly guests: ReadonlyMap<string, Guest>;
  /** Directory that the image would be written below. */
  imageDirectory(item: string): string;
  isKnownItem(item: string): boolean;
  journalFault(): string | undefined;
  belongsToRun(pid: number): boolean;
  /** What a move goes by that nobody asked for. */
  shedding(): SheddingFacts;
  /** Bytes of image a second to a node, as far as it was measured. */
  paceTo(node: string): number | undefined;
  push(input: NodeInput): void;
}

/** A process that is to move. */
interface Wish {
  readonly pid: number;
  readonly start: string | undefined;
  readonly to: string | undefined;
  /** A person or script asked for it: whether it pays is theirs to know. */
  readonly asked: boolean;
  readonly reason: string;
}

/** Takes requests and wishes to move processes. */
export interface Preflight {
  take(input: NodeInput): void;
}

/** Makes the stage. */
export function createPreflight(parts: PreflightParts, asks: FitAsks): Preflight {
  const { self, checkpoint, clock } = parts;
  const busy = new Set<number>();
  let count = 0;

  /** Whatever comes out of it comes once, through `done`. */
  function move(wish: Wish, done: (answer: Answer) => void): void {
    const { pid, start } = wish;
    const fault = findFault(pid);
    if (fault !== undefined || checkpoint === undefined)
      return done({ error: fault ?? 'nothing here can freeze a process' });
    const processes = checkpoint.identify(pid);
    const found = processes.get(pid);
    if (found?.start === undefined || (start !== undefined && start.split('@')[0] !== found.start))
      return done({ error: `there is no process ${pid}` });
    for (const one of listCompany(found, processes)) {
      const never = findUntouchable(one, { ...parts, self: parts.pid, processes });
      const who = one === found ? '' : ` (process ${one.pid} in its container)`;
      if (never !== undefined) return done({ error: `process ${pid} is never moved: ${never}${who}` });
    }
    busy.add(pid);
    inspect(checkpoint, found, { ...wish, start: found.start }, (answer) => {
      busy.delete(pid);
      done(answer);
    });
  }

  function findFault(pid: number): string | undefined {
    const fault = parts.journalFault();
    if (fault !== undefined) return `the journal cannot be written: ${fault}`;
    if (busy.has(pid)) return `process ${pid} is being looked at already`;
    const guest = [...parts.guests.values()].find((one) => one.process?.pid === pid && isLive(one));
    return guest === undefined ? undefined : `process ${pid} is item ${guest.item} already`;
  }

  function inspect(
    using: Checkpoint,
    process: ProcessFacts,
    wish: Wish & { readonly start: string },
    done: (answer: Answer) => void,
  ): void {
    const { pid } = process;
    const item = nameItem();
    const subject = { pid, init: null, directory: parts.imageDirectory(item), knownAs: null };
    using.inspect(subject, ({ obstacles, facts }) => {
      if (facts === null || obstacles.length > 0)
        return done({ error: `process ${pid} cannot be moved: ${obstacles.join('; ')}` });
      seek(item, process, wish, facts, done);
    });
  }

  function seek(
    item: string,
    process: ProcessFacts,
    { start, to, asked, reason: why }: Wish & { readonly start: string },
    facts: ImageFacts,
    done: (answer: Answer) => void,
  ): void {
    const need = needOfImage(facts, parts.info);
    const on = to === undefined ? {} : { on: to };
    const avoid = asked ? [self] : [self, ...parts.shedding().leftAlone];
    const ask = { owner: self, item, epoch: 1, need: { ...need, ...on }, avoid, deferred: false };
    const { ranked, blocked } = rankReceivers(parts.view, ask, clock.now(), parts.mesh());
    const waste = asked ? undefined : findWaste(ranked, need.cpus, facts);
    if (waste !== undefined) return done({ error: `process ${process.pid} is not moved: ${waste}` });
    asks.ask(ranked.slice(0, CANDIDATES_MAX), facts, (chosen, answers) => {
      if (chosen === undefined) {
        const relevant = to === undefined ? blocked : new Map([...blocked].filter(([node]) => node === to));
        const unknown = to === undefined || parts.view.has(to) ? '' : `no node ${to} is known`;
        const reason = unknown === '' ? describeNobody(answers, relevant, to === self ? '' : self) : unknown;
        return done({ error: `no node takes process ${process.pid}: ${reason}` });
      }
      const submitted = composeProcessItem(item, process, start, need, new Date(clock.wall()).toISOString());
      parts.push({ type: 'ItemSubmitted', item: submitted, to: chosen, reason: why });
      const seconds = expectSeconds(facts.image_bytes, parts.paceTo(chosen));
      const expected = { image_bytes: facts.image_bytes, expected_ms: Math.round(1000 * seconds) };
      done({ data: { item, from: self, to: chosen, ...expected } });
    });
  }

  /** Why it would be a waste to move it now, where nobody asked for it. */
  function findWaste([best]: readonly string[], cpus: number, facts: ImageFacts): string | undefined {
    const shedding = parts.shedding();
    const image = { memoryBytes: facts.image_bytes, ranMs: facts.wall_ms };
    return (
      findNodeObstacle(shedding) ?? (best === undefined ? undefined : findGainObstacle(best, cpus, image, shedding))
    );
  }

  function nameItem(): string {
    for (;;) {
      count += 1;
      const id = formatItemId(Math.floor(clock.wall()), (parts.pid * 31 + count) % ITEM_ID_ENDS);
      if (!parts.isKnownItem(id)) return id;
    }
  }

  function refuseWish(pid: number, error: string): void {
    const reason = clip(error);
    const body = { event_type: 'move_refused', pid, reason };
    parts.push({ type: 'EventWanted', event: say({ kind: 'event', node: self }, body) });
  }

  return {
    take: (input) => {
      if (input.type === 'ProcessMoveWanted')
        return move({ ...input, to: undefined, asked: false }, (answer) => {
          if ('error' in answer) refuseWish(input.pid, `${answer.error} (wanted: ${input.reason})`);
        });
      if (input.type !== 'RequestHeard' || input.request.verb !== 'migrate') return;
      const { pid, to, transaction } = input.request;
      if (pid === undefined || parts.belongsToRun(pid)) return;
      const reason = to === undefined ? 'asked to move on request' : `asked to move to ${to} on request`;
      move({ pid, start: undefined, to, asked: true, reason }, (answer) => {
        const subject = 'data' in answer ? `item/${String(answer.data['item'])}` : 'request/migrate';
        respond('migrate', transaction, answer, subject, parts);
      });
    },
  };
}
