/**
 * The thin path of `tritmesh run` and `defer`: over the socket of this machine's node, without loading the program.
 * It does what a quick job needs, in the same words. Everything else it leaves: before the submission as if nothing had
 * been tried, and afterwards with what has been done.
 */
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { canSubmit, connectToSubmit } from '../../compose/submit.js';
import { ATTEMPTS_DEFAULT } from '../../protocol/item-name.js';
import type { Status } from '../../protocol/status.js';
import { formatTopic } from '../../protocol/topics.js';
import type { LogPiece } from '../../protocol/work-messages.js';
import { EXIT } from '../failure.js';
import { draftItem, type ItemDraft } from '../job/draft-item.js';
import { describeCost, describeEnd, describeLeft, describeStep, exitCodeOf, isOver, isStuck } from '../render/run.js';
import { findThinNode, type ThinNode } from './find-node.js';
import type { Handover } from './handover.js';
import { readThinCommand, type ThinCommand } from './read-command.js';
import { createThinOutput } from './thin-output.js';
import { createThinSignals } from './thin-signals.js';

/** How it ended: with an exit code, or with work for the whole program. `undefined`: nothing was done. */
export type ThinEnd = { readonly code: number } | { readonly handover: Handover } | undefined;

type PlacedLog = LogPiece & { readonly node: string };

/** How long a job may take here, ms: a longer one has reasons for waiting, outages and readers to be reported. */
const QUICK_MS = 2000;

/** Runs a command line, if it is one for the thin path. */
export async function runThin(args: readonly string[]): Promise<ThinEnd> {
  const command = readThinCommand(args);
  if (command === undefined) return undefined;
  const node = findThinNode(command.node, { env: process.env, directory: process.cwd() });
  const draft = node === undefined ? undefined : draftThinItem(command);
  return node === undefined || draft === undefined ? undefined : submitThinly(node, command, draft);
}

/** The item without a destination: it has no files that could go there. */
function draftThinItem({ kind, argv, flags }: ThinCommand): ItemDraft | undefined {
  try {
    const { destination: _destination, ...draft } = draftItem(argv, flags, {
      directory: process.cwd(),
      variables: process.env,
      now: Date.now(),
      attempts: ATTEMPTS_DEFAULT,
      deferred: kind === 'defer',
    });
    return draft;
  } catch {
    // It is reported by the whole program.
    return undefined;
  }
}

function submitThinly(node: ThinNode, { kind, argv, flags }: ThinCommand, draft: ItemDraft): Promise<ThinEnd> {
  const { item } = draft;
  const isWaiting = flags.wait ?? kind === 'run';
  const isVerbose = flags.verbose ?? isatty(2);
  let phase: 'asking' | 'sent' | 'accepted' | 'left' = 'asking';
  let topics = { status: '', logs: '' };
  let lastStep: string | undefined;
  let isUnread = false;
  const guarded = new Set<LogPiece['stream']>();
  let quickTimer: NodeJS.Timeout | undefined;
  /** Output for the whole program. */
  let left: PlacedLog[] = [];
  let passOn = (log: PlacedLog): void => void left.push(log);

  return new Promise((resolve) => {
    const output = createThinOutput((stream, bytes) => {
      guardStream(stream);
      process[stream].write(bytes);
    });
    const signals = createThinSignals(() => report(describeLeft(item)));

    function guardStream(stream: LogPiece['stream']): void {
      if (guarded.has(stream)) return;
      guarded.add(stream);
      process[stream].on('error', () => {
        if (stream === 'stderr') return;
        isUnread = true;
        leave();
      });
    }

    function report(text: string): void {
      guardStream('stderr');
      process.stderr.write(`tritmesh: ${text}\n`);
    }

    function end(result: ThinEnd): void {
      phase = 'left';
      clearTimeout(quickTimer);
      line.close();
      signals.drop();
      resolve(result);
    }

    function leave(): void {
      if (phase === 'left') return;
      const isAccepted = phase === 'accepted';
      phase = 'left';
      clearTimeout(quickTimer);
      const handover: Handover = {
        draft,
        isAccepted,
        positions: output.positions(),
        lastStep,
        isUnread: () => isUnread,
        follow(take) {
          for (const log of left) take(log);
          left = [];
          passOn = take;
        },
        release: line.close,
        raiseSignals: signals.raise,
      };
      resolve({ handover });
    }

    function handleStatus(status: Status): void {
      if (phase === 'left' || !isWaiting) return;
      if (isStuck(status) || (status.direct === false && status.receiver !== null)) return leave();
      if (isOver(status)) return finish(status);
      const step = describeStep(item, status);
      if (isVerbose && step !== lastStep) report(step);
      lastStep = step;
    }

    function finish(status: Status): void {
      const directory = join(node.stateDir, 'items', item);
      if (status.phase === 'done' && !output.finish(status.epoch, directory)) return leave();
      const sentence = describeEnd(item, argv[0] ?? '', status);
      if (sentence !== undefined) report(sentence);
      if (isVerbose) report(describeCost(item, status));
      end({ code: exitCodeOf(status) });
    }

    const line = connectToSubmit(node.stateDir, {
      order(hello) {
        if (!canSubmit(hello) || !isMeant(node, hello)) return undefined;
        phase = 'sent';
        quickTimer = setTimeout(leave, QUICK_MS);
        topics = describeTopics(hello.base, hello.node, item);
        return { item: draft, filters: isWaiting ? [topics.status, `${topics.logs}+`] : [] };
      },
      accepted() {
        if (phase !== 'sent') return;
        phase = 'accepted';
        if (isWaiting) return signals.keep(leave);
        guardStream('stdout');
        process.stdout.write(`${item}\n`);
        end({ code: EXIT.done });
      },
      // The whole program says what is wrong with it.
      refused: () => end(undefined),
      message(topic, payload) {
        const value = parseObject(payload);
        if (value === undefined) return;
        if (topic === topics.status) return handleStatus(value as Status);
        if (!topic.startsWith(topics.logs)) return;
        const log = { ...(value as LogPiece), node: topic.slice(topics.logs.length) };
        if (phase === 'left') return passOn(log);
        if (output.write(log)) return;
        passOn(log);
        leave();
      },
      gone: () => (phase === 'asking' ? end(undefined) : leave()),
    });
  });
}

function isMeant(
  wanted: ThinNode,
  found: { readonly node: string; readonly base: string; readonly broker?: string | undefined },
): boolean {
  return (
    (wanted.id ?? found.node) === found.node &&
    (wanted.base ?? found.base) === found.base &&
    wanted.broker === found.broker
  );
}

function describeTopics(base: string, owner: string, item: string): { readonly status: string; readonly logs: string } {
  return {
    status: formatTopic(base, { kind: 'status', owner, item }),
    logs: formatTopic(base, { kind: 'log', owner, item, node: '' }),
  };
}

/** A message of the own node, which has the same version of this protocol; an empty one has cleared its topic. */
function parseObject(payload: string): object | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
