/** The result of one check of `tritmesh doctor`. */
export interface Finding {
  readonly what: string;
  /** `broken` keeps a node from working; `missing` only makes a feature unavailable. */
  readonly verdict: 'good' | 'missing' | 'broken';
  /** What was found, in words for people. */
  readonly found: string;
  /** What to do about it. */
  readonly todo?: string;
}

/** Everything is as it should be. */
export function good(what: string, found: string): Finding {
  return { what, verdict: 'good', found };
}

/** A node cannot work without it. */
export function broken(what: string, found: string, todo: string): Finding {
  return { what, verdict: 'broken', found, todo };
}

/** A node works without it. */
export function missing(what: string, found: string, todo: string): Finding {
  return { what, verdict: 'missing', found, todo };
}
