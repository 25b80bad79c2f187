/**
 * The one inbound stream of a node. An input that is pushed while another is being processed waits its turn, so no
 * stage ever sees a state that another stage has half changed.
 */
import { Subject, type Observable } from 'rxjs';

/** A stream that is fed from anywhere and processed one input at a time. */
export interface Inbox<T, H extends T = never> {
  /** News of other members: by far the most frequent inputs, and only one stage's business. */
  readonly heard$: Observable<H>;
  /** All other inputs. */
  readonly inputs$: Observable<Exclude<T, H>>;
  /**
   * Emits each time the last waiting input has been processed, unless all of them were news of members: the point at
   * which decisions about the whole are due.
   */
  readonly quiet$: Observable<void>;
  push(input: T): void;
  close(): void;
}

/** Creates an inbox; `isHeard` selects what goes to `heard$`. */
export function createInbox<T, H extends T = never>(isHeard?: (input: T) => input is H): Inbox<T, H> {
  const heard$ = new Subject<H>();
  const inputs$ = new Subject<Exclude<T, H>>();
  const quiet$ = new Subject<void>();
  let waiting: T[] = [];
  let isDraining = false;

  function push(input: T): void {
    waiting.push(input);
    if (isDraining) return;
    isDraining = true;
    drain();
    isDraining = false;
  }

  function drain(): void {
    let hasInputs = false;
    while (waiting.length > 0) {
      const batch = waiting;
      // Taking the whole batch keeps a burst linear; shifting an array would not.
      waiting = [];
      for (const input of batch) {
        if (isHeard !== undefined && isHeard(input)) {
          heard$.next(input);
          continue;
        }
        hasInputs = true;
        inputs$.next(input as Exclude<T, H>);
      }
      if (waiting.length > 0 || !hasInputs) continue;
      hasInputs = false;
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
