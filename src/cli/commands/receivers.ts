/** `tritmesh receivers`: the least loaded MINUS nodes, and why each other node cannot take work. */
import { reportNarrow } from '../broker-absence.js';
import { printJson, type Context } from '../context.js';
import { EXIT } from '../failure.js';
import { takeSnapshot } from '../snapshot.js';
import { renderReceivers } from '../render/mesh.js';

export async function showReceivers(context: Context, all: boolean): Promise<number> {
  const { receivers, members, absence } = await takeSnapshot(context.config);
  reportNarrow(context, absence);
  const { ranked, blocked } = receivers;
  const reasons = new Map([...blocked].map(([node, { text }]) => [node, text]));
  const codes = new Map([...blocked].map(([node, { code }]) => [node, code]));
  if (context.json) printJson(context, { ranked, blocked: reasons, codes });
  else context.print(renderReceivers(receivers, members, { width: context.width, all }));
  return EXIT.done;
}
