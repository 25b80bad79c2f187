/**
 * Tells a denied publish from a broker that merely went away: an MQTT 3.1.1 broker may deny a publish by closing the
 * connection (aedes does). One such end proves nothing; a second one at the same topic, with no answer for that topic
 * in between, is taken for a denial. Pure.
 */

/** The hang-ups seen so far. */
export interface HangUps {
  /**
   * The broker hung up without a reason while a publish to this topic was unanswered; returns whether that is a denial.
   */
  hungUp(topic: string | undefined): boolean;
  /** The broker answered a publish to this topic. */
  answered(topic: string): void;
}

/** Consecutive hang-ups at one topic that count as a denial. */
const HANG_UPS = 2;

/** Creates a record without any hang-ups. */
export function createHangUps(): HangUps {
  let suspect: string | undefined;
  let count = 0;
  return {
    hungUp(topic) {
      // Another kind of end, such as a pulled cable, is evidence neither for nor against a denial.
      if (topic === undefined) return false;
      count = topic === suspect ? count + 1 : 1;
      suspect = topic;
      return count >= HANG_UPS;
    },
    answered(topic) {
      if (topic !== suspect) return;
      suspect = undefined;
      count = 0;
    },
  };
}
