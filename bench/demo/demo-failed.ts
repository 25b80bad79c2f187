/** What ends the demo before its end: something that was to happen did not. The message is a sentence for people. */
export class DemoFailed extends Error {
  override readonly name = 'DemoFailed';
}

/** Fails with a sentence unless what it says is so. */
export function insist(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new DemoFailed(otherwise);
}
