/** `tritmesh scum [NODE]`: a node's heavy processes and what the node does about them; with `--explain`, why. */
import type { MemberSeen } from '../../observe/mesh-model.js';
import { reportNarrow } from '../broker-absence.js';
import { printJson, type Context } from '../context.js';
import { CommandFailed, EXIT } from '../failure.js';
import { takeSnapshot } from '../snapshot.js';
import { renderScum } from '../render/mesh.js';
import { explainScum, scoreItems } from '../render/scum.js';

export async function showScum(context: Context, node: string | undefined, explain: boolean): Promise<number> {
  const { members, absence } = await takeSnapshot(context.config);
  reportNarrow(context, absence);
  const member = findMember(members, node ?? context.config.id);
  if (context.json) printScum(context, member, explain);
  else context.print(explain ? explainScum(member, context.width) : renderScum(member, context.width));
  return EXIT.done;
}

function printScum(context: Context, { id, scum = { count: 0, items: [] } }: MemberSeen, explain: boolean): void {
  printJson(context, { node: id, count: scum.count, items: explain ? scoreItems(scum) : scum.items });
}

function findMember(members: readonly MemberSeen[], id: string): MemberSeen {
  const member = members.find((one) => one.id === id);
  if (member !== undefined) return member;
  const known = members.map((one) => one.id).join(', ') || 'none';
  throw new CommandFailed(`no node "${id}" has been heard of (known: ${known}); name one with --id`);
}
