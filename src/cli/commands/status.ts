/** `tritmesh status`: every node with its trit and load, the sum, and why work waits. */
import { reportNarrow } from '../broker-absence.js';
import { printJson, type Context } from '../context.js';
import { EXIT } from '../failure.js';
import { takeSnapshot } from '../snapshot.js';
import { isEnded } from '../../observe/mesh-model.js';
import { renderStatus } from '../render/mesh.js';

export async function showStatus(context: Context, all: boolean): Promise<number> {
  const snapshot = await takeSnapshot(context.config);
  reportNarrow(context, snapshot.absence);
  if (!context.json) context.print(renderStatus(snapshot, { width: context.width, all, wall: Date.now() }));
  else {
    const { members, sum, items, refused, absence } = snapshot;
    const broker = absence === undefined ? { online: true } : { online: false, reason: absence.reason };
    printJson(context, { ...sum, members, items: items.filter((item) => !isEnded(item)), refused, broker });
  }
  return EXIT.done;
}
