/** `tritmesh status`: every node with its trit and load, the sum, and why waiting items wait. */
import { tellNarrow } from './absence.js';
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import { lookOnce } from './look.js';
import { isEnded } from '../observe/mesh-picture.js';
import { renderStatus } from './render/mesh.js';

export async function showStatus(context: Context, all: boolean): Promise<number> {
  const snapshot = await lookOnce(context.config);
  tellNarrow(context, snapshot.absence);
  if (!context.json) context.print(renderStatus(snapshot, { width: context.width, all, wall: Date.now() }));
  else {
    const { members, sum, items, refused, absence } = snapshot;
    const broker = absence === undefined ? { online: true } : { online: false, reason: absence.reason };
    printJson(context, { ...sum, members, items: items.filter((item) => !isEnded(item)), refused, broker });
  }
  return EXIT.done;
}
