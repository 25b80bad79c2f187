/**
 * Asks for the move of processes that tritmesh did not start: on a PLUS node each one that is SCUM, and that a rule lets go.
 * It only asks; who moves them decides whether and where to.
 */
import type { Clock } from '../clock/clock.js';
import { decideAction, scoreProcess, type ScumFormula } from '../core/scum.js';
import { isActive, type ScumPolicies } from '../core/scum-policy.js';
import type { ListedProcess } from '../core/throttle-choice.js';
import type { NodeInput } from './inputs.js';
import type { ScumGround } from './scum-ground.js';

/** What asking goes by. */
export interface MoveAskParts {
  readonly clock: Clock;
  readonly policies: ScumPolicies;
  readonly formula: ScumFormula;
  /** A process that was asked for is not asked for again so long, ms. */
  readonly moveRestMs: number;
  push(input: NodeInput): void;
}

/** Gives a function that asks for what is to be asked for now. */
export function createMoveAsks(parts: MoveAskParts, ground: ScumGround): () => void {
  const { clock, policies, formula } = parts;
  const asked = new Map<string, number>();

  function ask(process: ListedProcess): void {
    const { pid, start } = process;
    if (ground.runOf(pid) !== undefined || decideAction(scoreProcess(process, formula), 1) !== 'migrate') return;
    const key = `${pid} ${start ?? ''}`;
    const last = asked.get(key);
    if (last !== undefined && clock.now() - last < parts.moveRestMs) return;
    const verdict = ground.judge(process, 'migrate');
    if (!verdict.acts) return;
    asked.set(key, clock.now());
    const reason = `this node is PLUS at ${ground.loadRatio.toFixed(2)}, ${verdict.why}`;
    parts.push({ type: 'ProcessMoveWanted', pid, start, reason });
  }

  return () => {
    for (const key of asked.keys()) if (!ground.has(Number.parseInt(key, 10))) asked.delete(key);
    if (ground.trit !== 1 || !isActive(policies.migrate) || policies.rules.length === 0) return;
    for (const process of ground.processes ?? []) ask(process);
  };
}
