/** The sentences about owners and receivers that cannot reach each other without the broker. */
import type { Config } from '../../config/config.js';
import type { MeshSnapshot } from '../../observe/mesh-model.js';
import type { Status } from '../../protocol/status.js';
import { good, missing, type Finding } from '../doctor/finding.js';

/** The warning for one item; `undefined` if there is a direct path, or if that is not known yet. */
export function describeNoPath(item: string, owner: string, status: Status): string | undefined {
  if (status.direct !== false || status.receiver === null) return undefined;
  return (
    `${item} runs on ${status.receiver}, but neither ${owner} nor ${status.receiver} can call the other at its transfer port: ` +
    `if the broker is away for longer than a lease, the job is ended`
  );
}

/** The check of `tritmesh doctor` on the receivers of this node's items. */
export function checkDirectPath({ id }: Pick<Config, 'id'>, { items }: Pick<MeshSnapshot, 'items'>): Finding {
  const what = 'direct path';
  const known = items.filter((one) => one.owner === id && one.direct !== undefined);
  const named = (direct: boolean): readonly string[] =>
    [...new Set(known.filter((one) => one.direct === direct).map((one) => one.receiver ?? ''))].toSorted();
  const cut = named(false);
  if (cut.length === 0) {
    const reached = named(true);
    return good(what, reached.length === 0 ? 'no item of this node runs elsewhere' : `to ${reached.join(', ')}`);
  }
  return missing(
    what,
    `none to ${cut.join(', ')}: if the broker is away for longer than a lease, the jobs there are ended`,
    'open the transfer port (transfer.port) of one of the two in its firewall, or set its transfer.advertise to an address where it can be reached',
  );
}
