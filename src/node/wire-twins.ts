/** Wires the twin watch: how this boot presents itself to a node with the same key. */
import type { Clock } from '../clock/clock.js';
import type { NodeSettings } from '../pipelines/settings.js';
import { createTwinWatch, type TwinWatch } from '../pipelines/identity/twin-watch.js';
import type { NodeLog } from './node-log.js';
import type { Leave } from './running-node.js';

/** What the watch is wired from. */
export interface TwinDeps {
  readonly key: string;
  readonly clock: Clock;
  readonly log: NodeLog;
  leave(leave: Leave): void;
}

/** Creates the watch; `boot` is the number of this boot. */
export function wireTwins(settings: NodeSettings, boot: number, deps: TwinDeps): TwinWatch {
  const { id, info, twin } = settings;
  const { key, clock, log, leave } = deps;
  return createTwinWatch({
    self: id,
    key,
    version: info.version,
    mine: { ...(twin?.mine ?? { instance: 'none', host: info.host, fit: 'fits' }), boot: twin?.since ?? boot },
    clock,
    ignoresEarlyLinkEnds: twin?.ignoresEarlyLinkEnds ?? true,
    met: twin?.met ?? [],
    log: log.log,
    leave,
  });
}
