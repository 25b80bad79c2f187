/** A run as the watch knows it. */
import type { Subscription } from 'rxjs';
import type { PreparedLaunch } from './directory/run-directory.js';
import type { NamespaceHead } from './freeze/pid-namespace.js';
import type { OutputTail } from './output/output-tail.js';
import type { RunEvidence } from './run-evidence.js';
import type { RunHandle } from './runner.js';
import type { Deadline } from './watchdog/deadline.js';

/** A run being watched. */
export interface LiveRun {
  readonly run: string;
  readonly directory: string;
  readonly handle: RunHandle;
  /** Set for a run that can be frozen. */
  readonly namespace: NamespaceHead | undefined;
  /** Nobody reports its end, since an earlier node process started it or its supervisor was lost: it is looked for. */
  isAdopted: boolean;
  readonly evidence: RunEvidence;
  readonly tail: OutputTail;
  /** `clock.now()` when it was started or adopted, and the time of its wall-clock limit on the same clock. */
  readonly since: number;
  readonly wallAt: number;
  /**
   * When it was started here, in milliseconds of the machine's monotonic clock; `undefined` when that was not
   * recorded.
   */
  readonly startedAt: number | undefined;
  readonly deadline: Deadline;
  /** Why it is being stopped, for people; `undefined` while it is not. */
  stopReason: string | undefined;
  /** It was asked to save its work and end. */
  isAsked: boolean;
  killTimer: Subscription | undefined;
  /** Its leader has ended; only its remaining processes are waited for. */
  isEnding: boolean;
  /** The last pid assigned before its command started; `undefined` for an adopted run. */
  readonly afterPid: number | undefined;
}

/** A run that is to be watched. */
export interface FollowedRun {
  readonly run: string;
  readonly directory: string;
  readonly handle: RunHandle;
  readonly prepared: PreparedLaunch;
  readonly evidence: RunEvidence;
  /** An earlier node process started it. */
  readonly isAdopted: boolean;
  /** `clock.now()` when it was requested or is adopted. */
  readonly since: number;
  /** The last pid assigned before its command started; `undefined` when unknown. */
  readonly afterPid: number | undefined;
}
