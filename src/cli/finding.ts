/** One thing that `tritmesh doctor` looked at. */
export interface Finding {
  readonly what: string;
  /** `broken` keeps a node from working, `missing` only takes something nice away. */
  readonly verdict: 'good' | 'missing' | 'broken';
  /** What was found, as text for people. */
  readonly found: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** A thing that is as it should be. */
export function good(what: string, found: string): Finding {
  return { what, verdict: 'good', found };
}

/** A thing that a node cannot do without. */
export function broken(what: string, found: string, todo: string): Finding {
  return { what, verdict: 'broken', found, todo };
}

/** A thing that a node does without. */
export function missing(what: string, found: string, todo: string): Finding {
  return { what, verdict: 'missing', found, todo };
}

/** An error as text for people. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
