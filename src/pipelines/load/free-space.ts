/**
 * The free disk space that this node may promise: the last sample, minus what has landed since, minus what others were
 * promised. Where the disk has given less than it reports (a quota), that smaller amount counts.
 */
import type { Clock } from '../../clock/clock.js';
import { findSpaceLack, recordSpaceLack, type DiskState, type SpaceLack } from '../../core/disk/disk-space.js';
import { guestName } from '../../core/receiver/guest-name.js';
import { countPromised, type Guest } from '../../core/receiver/guest.js';
import type { Reason } from '../../protocol/reasons.js';
import type { NodeInput } from '../inputs.js';

/** What it needs of the node. */
export interface FreeSpaceDeps {
  readonly clock: Clock;
  guests(): Iterable<Guest>;
}

/** Free space, in bytes beyond the reserve. */
export interface FreeSpace {
  handle(input: NodeInput): void;
  /** Free bytes; `undefined` if not known. */
  bytes(): number | undefined;
  readonly isFull: boolean;
  /** Why there is no space for a guest besides what others were promised; `undefined` if there is. */
  findLack(guest: Guest | undefined): Reason | undefined;
}

/** Creates it, with nothing known yet. */
export function createFreeSpace(deps: FreeSpaceDeps): FreeSpace {
  let disk: DiskState | undefined;
  let lack: SpaceLack | undefined;
  /** Bytes staged or fetched since the last sample, which does not show them yet. No promise covers them any more. */
  let landed = 0;

  function bytes(): number | undefined {
    const space = disk === undefined ? undefined : disk.room - landed;
    if (lack === undefined || deps.clock.now() >= lack.until) return space;
    return Math.min(space ?? Number.POSITIVE_INFINITY, lack.below);
  }

  function handleGuest({ guest: name, input }: Extract<NodeInput, { type: 'GuestInput' }>): void {
    if (input.type !== 'InputsFetched' && input.type !== 'FetchFailed') return;
    const needed = [...deps.guests()].find((one) => guestName(one) === name)?.need.disk_bytes ?? 0;
    if (input.type === 'InputsFetched') {
      lack = undefined;
      landed += needed;
      return;
    }
    if (input.lacksSpace === true) lack = recordSpaceLack(lack, needed, deps.clock.now());
  }

  return {
    bytes,
    get isFull() {
      return disk?.isFull === true;
    },
    handle: (input) => {
      switch (input.type) {
        case 'DiskMeasured':
          ({ disk } = input);
          landed = 0;
          // The disk reports the lack itself by now.
          if (lack !== undefined && disk.room < lack.below) lack = undefined;
          return;
        case 'SenseFailed':
          if (input.sense === 'disk') disk = undefined;
          return;
        case 'ItemInput':
          if (input.input.type === 'ItemStaged') landed += input.input.bundle.room ?? input.input.bundle.bytes;
          return;
        case 'GuestInput':
          return handleGuest(input);
        default:
      }
    },
    findLack: (guest) => {
      const space = bytes();
      if (space === undefined || guest === undefined) return undefined;
      const others = [...deps.guests()].filter((one) => one !== guest);
      // Rounding alone refuses nothing: the claim was made with less.
      const free = disk?.isFull === true ? 0 : Math.max(1, space - countPromised(others));
      return findSpaceLack(guest.need.disk_bytes ?? 0, free);
    },
  };
}
