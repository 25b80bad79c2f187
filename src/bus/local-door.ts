/**
 * The port to the programs on this machine: a small bus of the node itself, for when the broker is away. It shows them
 * what the node publishes and accepts their requests to this node, which are decoded and checked like those from the
 * broker. Only the items that they submit need no signature: who may open the endpoint may read the node's key, too.
 */
import type { Observable } from 'rxjs';
import type { BusMessage, BusPublish } from './bus.js';

/** An item that a program on this machine wants the node to submit as its own. */
export interface LocalSubmission {
  /** The item as the program sent it: checked by nobody yet. */
  readonly item: object;
  /** Tells the program the outcome: without a reason, the journal has the item. */
  answer(reason?: string): void;
}

/** A node's endpoint for the programs on its own machine. Nothing here throws. */
export interface LocalDoor {
  /** Received requests; hot. */
  readonly messages$: Observable<BusMessage>;
  /** Submitted items; hot. */
  readonly submissions$: Observable<LocalSubmission>;
  /** A sentence for each program that was disconnected, with the reason; hot. */
  readonly refused$: Observable<string>;
  /** Starts to accept programs; calls back with a sentence if it cannot. */
  open(done: (fault: string | undefined) => void): void;
  /** Sends a message to the programs subscribed to it; a retained one also to later subscribers, as a broker would. */
  show(message: BusPublish): void;
  /** Tells programs that connect from now on whether the node is connected to its broker. */
  setOnline(isOnline: boolean): void;
  /** Stops sending a retained topic to new subscribers. */
  forget(topic: string): void;
  /** Disconnects all programs and leaves nothing behind; calls back when that is done. */
  close(done: () => void): void;
}
