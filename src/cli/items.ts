/** `tritmesh items [--all]`: the work that is on the bus. */
import { isEnded } from '../observe/mesh-picture.js';
import { printJson, type Context } from './context.js';
import { EXIT } from './failure.js';
import { lookOnce } from './look.js';
import { renderItems } from './render/items.js';

export async function showItems(context: Context, all: boolean): Promise<number> {
  const { items } = await lookOnce(context.config);
  if (!context.json) context.print(renderItems(items, all, context.width));
  else {
    printJson(
      context,
      items.filter((item) => all || !isEnded(item)),
    );
  }
  return EXIT.done;
}
