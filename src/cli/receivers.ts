/** `tritmesh receivers`: the least loaded MINUS nodes, and why the others are none. */
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import { lookOnce } from './look.js';
import { renderReceivers } from './render/mesh.js';

export async function showReceivers(context: Context): Promise<number> {
  const { receivers, members } = await lookOnce(context.config);
  if (context.json) printJson(context, { ranked: receivers.ranked, blocked: receivers.blocked });
  else context.print(renderReceivers(receivers, members, context.width));
  return EXIT.done;
}
