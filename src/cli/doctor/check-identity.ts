/**
 * The checks of `tritmesh doctor` on identity: the machine that last used the state directory, and copies of its node.
 */
import type { Config } from '../../config/config.js';
import { fitMachine } from '../../core/mesh/machine-fit.js';
import { readPrint } from '../../compose/machine-info.js';
import { findNamesakes, type MemberSeen, type MeshSnapshot } from '../../observe/mesh-model.js';
import type { Context } from '../context.js';
import { broken, good, missing, type Finding } from './finding.js';

/** Whether this machine last used the state directory and, if not, whether its node is online on another machine. */
export async function checkOwnMachine(
  config: Config,
  record: Context['record'],
  { members }: MeshSnapshot,
): Promise<readonly Finding[]> {
  if (record?.machine === undefined) return [];
  const what = 'machine of the state directory';
  const fit = fitMachine(record.machine, await readPrint());
  if (fit === 'fits') return [good(what, 'this one')];
  const other = members.find((one) => one.id === config.id && one.online);
  const found = `last used on ${record.machine.host || 'another machine'}; this machine ${fit === 'partly' ? 'differs in part' : 'is another one'}`;
  if (other === undefined)
    return [
      missing(what, found, 'nothing, if the state directory was moved here: its next start checks for a copy first'),
    ];
  const todo = `${config.id} is online on ${other.info?.host ?? 'another machine'}: if this state directory is a copy, run "tritmesh reset-identity" here`;
  return [broken(what, found, todo)];
}

/** The finding for a node that exists twice, or has a copy; `undefined` if there is no sign of one. */
export function findCopy(what: string, member: MemberSeen, members: MeshSnapshot['members']): Finding | undefined {
  const twins = findNamesakes(member, members);
  if (twins.length > 0) {
    return broken(what, `online with the same key as ${twins.join(', ')}`, `one of them is a copy: ${RESET}`);
  }
  if (member.state?.copy === undefined) return undefined;
  return broken(
    what,
    `online; a copy of it was started on ${member.state.copy} and stays off`,
    `on ${member.state.copy}, ${RESET}`,
  );
}

const RESET = 'stop the copy and turn it into a separate node with "tritmesh reset-identity"';
