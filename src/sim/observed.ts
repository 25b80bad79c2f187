/** What the checkers read of messages and journal records, and no more: they look from outside. */

export interface AckSaid {
  readonly epoch: number;
  readonly to: string;
}

export interface OfferSaid {
  readonly size_bytes: number;
}

export interface LeaseSaid {
  readonly epoch: number;
  readonly to: string;
  readonly order: string;
}

export interface ResultSaid {
  readonly outcome: string;
}

export interface RecordKept {
  readonly phase: string;
  readonly lastEpoch: number;
  readonly result?: ResultSaid | null;
}
