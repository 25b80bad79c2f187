/** `tritmesh items [--all]`: the work of the mesh, also what its owners do not keep on the bus. */
import { tellNarrow } from './absence.js';
import { isEnded } from '../observe/mesh-picture.js';
import { printJson, type Context } from './context.js';
import { findAllItems } from './crowded-owners.js';
import { EXIT } from './failure.js';
import { lookOnce } from './look.js';
import { renderItems } from './render/items.js';

export async function showItems(context: Context, all: boolean): Promise<number> {
  const look = await lookOnce(context.config);
  tellNarrow(context, look.absence);
  const { items, gaps } = await findAllItems(context.config, look);
  if (!context.json) context.print(renderItems(items, all, context.width));
  else {
    printJson(
      context,
      items.filter((item) => all || !isEnded(item)),
    );
  }
  for (const gap of gaps) context.say(gap);
  return EXIT.done;
}
