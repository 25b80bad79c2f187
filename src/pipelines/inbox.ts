/**
 * The one inbound stream of a node. What is pushed while an input is being worked on waits until that work is done, so
 * that no stage ever sees a state that another stage has half changed.
 */
import { Subject, type Observable } from 'rxjs';

/** A stream that is fed from anywhere and worked off one by one. */
export interface Inbox<T, H extends T = never> {
  /** What was heard of others: by far the most of what comes, and only one stage's business. */
  readonly heard$: Observable<H>;
  /** All the rest. */
  readonly inputs$: Observable<Exclude<T, H>>;
  /** Emits each time the last waiting input was worked off, unless nothing was but what was heard: the moment to look at the whole. */
  readonly quiet$: Observable<void>;
  push(input: T): void;
  close(): void;
}

/** Makes an inbox; `isHeard` tells what goes to `heard$`. */
export function createInbox<T, H extends T = never>(isHeard?: (input: T) => input is H): Inbox<T, H> {
  const heard$ = new Subject<H>();
  const inputs$ = new Subject<Exclude<T, H>>();
  const quiet$ = new Subject<void>();
  let waiting: T[] = [];
  let working = false;

  function push(input: T): void {
    waiting.push(input);
    if (working) return;
    working = true;
    workOff();
    working = false;
  }

  function workOff(): void {
    let loud = false;
    while (waiting.length > 0) {
      const batch = waiting;
      // Taking the whole batch keeps a burst linear; an array's shift is not.
      waiting = [];
      for (const input of batch) {
        if (isHeard !== undefined && isHeard(input)) {
          heard$.next(input);
          continue;
        }
        loud = true;
        inputs$.next(input as Exclude<T, H>);
      }
      if (waiting.length > 0 || !loud) continue;
      loud = false;
      quiet$.next();
    }
  }

  return {
    heard$,
    inputs$,
    quiet$,
    push,
    close: () => {
      heard$.complete();
      inputs$.complete();
      quiet$.complete();
    },
  };
}
