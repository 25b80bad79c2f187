/**
 * How each kind of message is published: quality of service, retained or not, signed or not. Messages that other nodes
 * act on are signed; messages that only people read are not.
 */
import type { MessageKind } from './messages.js';

/** How one kind of message is published. */
export interface Delivery {
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly signed: boolean;
}

/** The delivery of every kind of message. */
export const DELIVERY: Readonly<Record<MessageKind, Delivery>> = {
  info: { qos: 1, retain: true, signed: true },
  state: { qos: 1, retain: true, signed: true },
  scum: { qos: 1, retain: true, signed: false },
  event: { qos: 0, retain: false, signed: false },
  response: { qos: 1, retain: false, signed: true },
  offer: { qos: 1, retain: false, signed: true },
  claim: { qos: 1, retain: false, signed: true },
  ack: { qos: 1, retain: false, signed: true },
  lease: { qos: 1, retain: false, signed: true },
  progress: { qos: 1, retain: false, signed: true },
  result: { qos: 1, retain: false, signed: true },
  log: { qos: 0, retain: false, signed: true },
  status: { qos: 1, retain: true, signed: true },
  mesh: { qos: 1, retain: true, signed: false },
};
