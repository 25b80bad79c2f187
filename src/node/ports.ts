/**
 * What a node is made from: one adapter for each port. A node makes none of them and knows none of their kinds.
 */
import type { Bus } from '../bus/bus.js';
import type { LocalDoor } from '../bus/local-door.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Clock } from '../clock/clock.js';
import type { Identity } from '../identity/identity.js';
import type { Journal } from '../journal/journal.js';
import type { Codec } from '../protocol/codec.js';
import type { Runner } from '../run/runner.js';
import type { Sense } from '../sense/sense.js';
import type { Throttle } from '../throttle/throttle.js';
import type { Direct } from '../transfer/direct.js';
import type { Transfer, Workspace } from '../transfer/transfer.js';

/** The ports of a node. The node closes all of them when it stops. */
export interface NodePorts {
  readonly bus: Bus;
  /** Without one the programs of this machine reach the node by the broker alone. */
  readonly door?: LocalDoor | undefined;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly journal: Journal;
  readonly runner: Runner;
  readonly sense: Sense;
  readonly transfer: Transfer;
  readonly workspace: Workspace;
  /** Without one owner and receiver hear of each other by the bus alone. */
  readonly direct?: Direct | undefined;
  /** Without one nothing is throttled. */
  readonly throttle?: Throttle | undefined;
  /** Without one no process that tritmesh did not start is moved. */
  readonly checkpoint?: Checkpoint | undefined;
  /** In place of the wire's own codec: simulated nodes share the decoding of one broadcast. */
  readonly codec?: Codec | undefined;
}

/** Something worth a line in the log. */
export interface NodeNote {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}
