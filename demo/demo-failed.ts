/** Ends the demo early: something that was expected did not happen. The message is a sentence for the user. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}

/** Throws {@link DemoFailed} with the message `otherwise` unless the condition holds. */
export function insist(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new DemoFailed(otherwise);
}
