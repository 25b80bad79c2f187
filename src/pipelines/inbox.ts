/**
 * The one inbound stream of a node. What is pushed while an input is being worked on waits until that work is done, so
 * that no stage ever sees a state that another stage has half changed.
 */
import { Subject, type Observable } from 'rxjs';

/** A stream that is fed from anywhere and worked off one by one. */
export interface Inbox<T> {
  readonly inputs$: Observable<T>;
  /** Emits each time the last waiting input was worked off: the moment to look at the whole. */
  readonly quiet$: Observable<void>;
  push(input: T): void;
  close(): void;
}

/** Makes an inbox. */
export function createInbox<T>(): Inbox<T> {
  const inputs$ = new Subject<T>();
  const quiet$ = new Subject<void>();
  const waiting: T[] = [];
  let working = false;

  function push(input: T): void {
    waiting.push(input);
    if (working) return;
    working = true;
    workOff();
    working = false;
  }

  function workOff(): void {
    while (waiting.length > 0) {
      // Taking the whole batch keeps a burst linear; an array's shift is not.
      for (const input of waiting.splice(0)) inputs$.next(input);
      if (waiting.length === 0) quiet$.next();
    }
  }

  return {
    inputs$,
    quiet$,
    push,
    close: () => {
      inputs$.complete();
      quiet$.complete();
    },
  };
}
