/**
 * The port to the programs of this machine: a node's own small bus, for when the broker is away. It shows them what the
 * node publishes and takes their requests to this node, which are decoded and checked like those from the broker:
 * whoever comes through this door is trusted no more for that.
 */
import type { Observable } from 'rxjs';
import type { BusMessage, BusPublish } from './bus.js';

/** A node's door to the programs of its own machine. Nothing here throws. */
export interface LocalDoor {
  /** Requests as they came in; hot. */
  readonly messages$: Observable<BusMessage>;
  /** Programs that were sent away, each with a sentence that says why; hot. */
  readonly refused$: Observable<string>;
  /** Lets programs in from now on; calls back with a sentence if nobody can come in. */
  open(done: (fault: string | undefined) => void): void;
  /** Shows a message to those who subscribed; a retained one also to those who come later, as a broker would. */
  show(message: BusPublish): void;
  /** Shows a retained topic to newcomers no longer. */
  forget(topic: string): void;
  /** Sends everybody away and leaves nothing behind; calls back when that is done. */
  close(done: () => void): void;
}
