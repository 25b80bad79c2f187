/**
 * Tells a denied publish from a broker that ended: a broker of MQTT 3.1.1 may deny one by hanging up (aedes does). One hang-up
 * says nothing; a second one at the same topic, with no answer for it in between, is no chance. Pure.
 */

/** What is remembered of hang-ups. */
export interface HangUps {
  /** The broker hung up without a reason while this topic waited for its answer; says whether it denies it. */
  hungUp(topic: string | undefined): boolean;
  /** The broker answered for a topic. */
  answered(topic: string): void;
}

/** Hang-ups at one topic in a row that are taken for a denial. */
const HANG_UPS = 2;

/** Remembers none. */
export function createHangUps(): HangUps {
  let suspect: string | undefined;
  let count = 0;
  return {
    hungUp(topic) {
      // An end of another kind, such as a cable that was pulled, says nothing for or against it.
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
