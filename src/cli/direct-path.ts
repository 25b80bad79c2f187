/**
 * What is said where owner and receiver of an item do not reach each other without the broker.
 */
import type { Config } from '../config/config.js';
import type { MeshSnapshot } from '../observe/mesh-picture.js';
import type { Status } from '../protocol/status.js';
import { good, missing, type Finding } from './finding.js';

/** The sentence for one item; `undefined` where there is a direct path, or where it is not known. */
export function describeNoPath(item: string, owner: string, status: Status): string | undefined {
  if (status.direct !== false || status.receiver === null) return undefined;
  return (
    `${item} runs on ${status.receiver}, and neither ${owner} nor ${status.receiver} can call the other at its transfer port: ` +
    `if the broker is away for longer than a lease, it is ended`
  );
}

/** What `tritmesh doctor` finds of the items that this node has elsewhere. */
export function checkDirectPath({ id }: Pick<Config, 'id'>, { items }: Pick<MeshSnapshot, 'items'>): Finding {
  const what = 'direct path';
  const known = items.filter((one) => one.owner === id && one.direct !== undefined);
  const named = (direct: boolean): readonly string[] =>
    [...new Set(known.filter((one) => one.direct === direct).map((one) => one.receiver ?? ''))].toSorted();
  const cut = named(false);
  if (cut.length === 0) {
    const reached = named(true);
    return good(what, reached.length === 0 ? 'nothing of this node runs elsewhere' : `to ${reached.join(', ')}`);
  }
  return missing(
    what,
    `none to ${cut.join(', ')}: if the broker is away for longer than a lease, what runs there is ended`,
    'let the transfer port of one of the two through its firewall, or name where it is reached: transfer.port, transfer.advertise',
  );
}
