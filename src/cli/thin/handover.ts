/** What the thin path leaves to the whole program when there is more to do than to wait for a quick end. */
import type { LogPiece } from '../../protocol/work-messages.js';
import type { ItemDraft } from '../job/draft-item.js';
import type { LogPositions } from '../job/log-stitch.js';

/** A submission in progress. */
export interface Handover {
  readonly draft: ItemDraft;
  /** The node has the item; otherwise it may or may not have it. */
  readonly isAccepted: boolean;
  /** Output written so far. */
  readonly positions: LogPositions;
  /** The step that was reported last. */
  readonly lastStep: string | undefined;
  /** Nobody reads stdout any more. */
  isUnread(): boolean;
  /** Passes on the output that arrived since, and what still arrives. */
  follow(take: (log: LogPiece & { readonly node: string }) => void): void;
  /** Everything arrives by another way from now on. */
  release(): void;
  /** Signals are listened to from now on: those that came in the meantime are raised again. */
  raiseSignals(): void;
}
