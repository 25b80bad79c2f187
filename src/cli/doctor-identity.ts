/** What `tritmesh doctor` looks at of whose a state directory is: the machine it was last used on, and copies of its node. */
import type { Config } from '../config/config.js';
import { fitMachine } from '../core/machine-fit.js';
import { readPrint } from '../machine-facts.js';
import { findNamesakes, type MemberSeen, type MeshSnapshot } from '../observe/mesh-picture.js';
import type { Context } from './context.js';
import { broken, good, missing, type Finding } from './finding.js';

/** Whether the state directory is on the machine that it was last used on, and whether its node runs elsewhere meanwhile. */
export async function checkOwnMachine(
  config: Config,
  record: Context['record'],
  { members }: MeshSnapshot,
): Promise<readonly Finding[]> {
  if (record?.machine === undefined) return [];
  const what = 'state directory’s machine';
  const fit = fitMachine(record.machine, await readPrint());
  if (fit === 'fits') return [good(what, 'this one')];
  const other = members.find((one) => one.id === config.id && one.online);
  const found = `${record.machine.host || 'another one'} when it was last used; ${fit === 'partly' ? 'this one differs in part' : 'not this one'}`;
  if (other === undefined)
    return [missing(what, found, 'nothing, if it was moved here: its next start looks for a copy first')];
  const todo = `${config.id} is online on ${other.info?.host ?? 'another machine'}: if this is a copy, make it a node of its own with "tritmesh reset-identity"`;
  return [broken(what, found, todo)];
}

/** Whether the node, or what claims to be it, is there twice; `undefined` if nothing tells so. */
export function findCopy(what: string, member: MemberSeen, members: MeshSnapshot['members']): Finding | undefined {
  const twins = findNamesakes(member, members);
  if (twins.length > 0) {
    return broken(what, `online with the same key as ${twins.join(', ')}`, `one of them is a copy: there, ${RESET}`);
  }
  if (member.state?.copy === undefined) return undefined;
  return broken(what, `online; a copy of it was started on ${member.state.copy} and stays off`, `there, ${RESET}`);
}

const RESET = 'stop it and make it a node of its own with "tritmesh reset-identity"';
