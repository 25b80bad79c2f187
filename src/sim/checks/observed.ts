/**
 * The fields of messages and journal records that the invariants read. They depend on nothing else of the node's types.
 */

export interface ObservedAck {
  readonly epoch: number;
  readonly to: string;
}

export interface ObservedOffer {
  readonly size_bytes: number;
}

export interface ObservedLease {
  readonly epoch: number;
  readonly to: string;
  readonly order: string;
}

export interface ObservedResult {
  readonly outcome: string;
}

export interface ObservedRecord {
  readonly phase: string;
  readonly lastEpoch: number;
  readonly result?: ObservedResult | null;
}
