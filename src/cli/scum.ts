/** `tritmesh scum [NODE]`: a node's heavy processes and what becomes of them. */
import type { MemberSeen } from '../observe/mesh-picture.js';
import { printJson, type Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { lookOnce } from './look.js';
import { renderScum } from './render/mesh.js';

export async function showScum(context: Context, node: string | undefined): Promise<number> {
  const { members } = await lookOnce(context.config);
  const member = findMember(members, node ?? context.config.id);
  const { count, items } = member.scum ?? { count: 0, items: [] };
  if (context.json) printJson(context, { node: member.id, count, items });
  else context.print(renderScum(member, context.width));
  return EXIT.done;
}

function findMember(members: readonly MemberSeen[], id: string): MemberSeen {
  const member = members.find((one) => one.id === id);
  if (member !== undefined) return member;
  const known = members.map((one) => one.id).join(', ') || 'none';
  throw new CommandFailed(`no node "${id}" has been heard of (known: ${known}); name one with --id`);
}
