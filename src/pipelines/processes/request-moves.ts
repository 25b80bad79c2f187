/**
 * Requests the move of external processes: on a PLUS node, each one that is SCUM and that a rule releases. It only
 * requests; the external-move stage decides whether and where they move.
 */
import type { Clock } from '../../clock/clock.js';
import { decideAction, scoreProcess, type ScumFormula } from '../../core/processes/scum.js';
import { isActive, type ScumPolicies } from '../../core/processes/scum-policy.js';
import type { ListedProcess } from '../../core/processes/throttle-plan.js';
import type { NodeInput } from '../inputs.js';
import type { ProcessAssessment } from './assess-processes.js';

/** What requesting needs. */
export interface MoveRequestsDeps {
  readonly clock: Clock;
  readonly policies: ScumPolicies;
  readonly formula: ScumFormula;
  /** A process is not requested again for this long, ms. */
  readonly moveRestMs: number;
  push(input: NodeInput): void;
}

/** Creates a function that requests every move that is due. */
export function createMoveRequests(deps: MoveRequestsDeps, assessment: ProcessAssessment): () => void {
  const { clock, policies, formula } = deps;
  const requestedAt = new Map<string, number>();

  function requestMove(process: ListedProcess): void {
    const { pid, start } = process;
    if (assessment.runOf(pid) !== undefined || decideAction(scoreProcess(process, formula), 1) !== 'migrate') return;
    const key = `${pid} ${start ?? ''}`;
    const last = requestedAt.get(key);
    if (last !== undefined && clock.now() - last < deps.moveRestMs) return;
    const verdict = assessment.judge(process, 'migrate');
    if (!verdict.acts) return;
    requestedAt.set(key, clock.now());
    const reason = `this node is PLUS at ${assessment.loadRatio.toFixed(2)}, ${verdict.why}`;
    deps.push({ type: 'ProcessMoveWanted', pid, start, reason });
  }

  return () => {
    for (const key of requestedAt.keys()) if (!assessment.has(Number.parseInt(key, 10))) requestedAt.delete(key);
    if (assessment.trit !== 1 || !isActive(policies.migrate) || policies.rules.length === 0) return;
    for (const process of assessment.processes ?? []) requestMove(process);
  };
}
