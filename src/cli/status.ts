/** `tritmesh status`: every node with its trit and load, the sum, and why waiting items wait. */
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import { lookOnce } from './look.js';
import { isEnded } from '../observe/mesh-picture.js';
import { renderStatus } from './render/mesh.js';

export async function showStatus(context: Context): Promise<number> {
  const snapshot = await lookOnce(context.config);
  if (!context.json) context.print(renderStatus(snapshot, context.width));
  else {
    const { members, sum, items, refused } = snapshot;
    printJson(context, { ...sum, members, items: items.filter((item) => !isEnded(item)), refused });
  }
  return EXIT.done;
}
