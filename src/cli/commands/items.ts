/** `tritmesh items [--all]`: the items of the mesh, including those that their owners do not keep on the bus. */
import { reportNarrow } from '../broker-absence.js';
import { isEnded } from '../../observe/mesh-model.js';
import { printJson, type Context } from '../context.js';
import { findAllItems } from '../request/crowded-owners.js';
import { EXIT } from '../failure.js';
import { takeSnapshot } from '../snapshot.js';
import { renderItems } from '../render/items.js';

export async function showItems(context: Context, all: boolean): Promise<number> {
  const snapshot = await takeSnapshot(context.config);
  reportNarrow(context, snapshot.absence);
  const { items, gaps } = await findAllItems(context.config, snapshot);
  if (!context.json) context.print(renderItems(items, all, context.width));
  else {
    printJson(
      context,
      items.filter((item) => all || !isEnded(item)),
    );
  }
  for (const gap of gaps) context.report(gap);
  return EXIT.done;
}
