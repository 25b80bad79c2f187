/**
 * What a node is made of: one adapter for each port. A node creates none of them and does not know which implementation
 * it has.
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
  /** Without it, programs on this machine reach the node only through the broker. */
  readonly door?: LocalDoor | undefined;
  readonly clock: Clock;
  readonly identity: Identity;
  readonly journal: Journal;
  readonly runner: Runner;
  readonly sense: Sense;
  readonly transfer: Transfer;
  readonly workspace: Workspace;
  /** Without it, owner and receiver reach each other only over the bus. */
  readonly direct?: Direct | undefined;
  /** Without it, nothing is throttled. */
  readonly throttle?: Throttle | undefined;
  /** Without it, no external process is moved. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Replaces the wire's own codec: simulated nodes share the decoding of one broadcast. */
  readonly codec?: Codec | undefined;
}

/** A line for the log. */
export interface NodeNote {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}
