/** `tritmesh receivers`: the least loaded MINUS nodes, and why the others are none. */
import { tellNarrow } from './absence.js';
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import { lookOnce } from './look.js';
import { renderReceivers } from './render/mesh.js';

export async function showReceivers(context: Context, all: boolean): Promise<number> {
  const { receivers, members, absence } = await lookOnce(context.config);
  tellNarrow(context, absence);
  if (context.json) printJson(context, { ranked: receivers.ranked, blocked: receivers.blocked });
  else context.print(renderReceivers(receivers, members, { width: context.width, all }));
  return EXIT.done;
}
