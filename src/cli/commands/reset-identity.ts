/**
 * `tritmesh reset-identity [NEW]`: turns a copy of a node (a cloned VM, an SD card) into a separate node, with a new
 * key, a new id and none of the original's work. The old state is moved aside, never removed: it may hold results.
 */
import { resetState } from '../../compose/reset-identity.js';
import { NODE_ID_PATTERN } from '../../protocol/topics.js';
import { printJson, type Context } from '../context.js';
import { BadInput, CommandFailed, EXIT } from '../failure.js';

/** Resets the identity; fails while the node of this state directory runs. */
export async function resetIdentity(context: Context, wanted: string | undefined): Promise<number> {
  if (wanted !== undefined && !NODE_ID_PATTERN.test(wanted)) {
    throw new BadInput('NEW', wanted, 'must be 1 to 32 lower-case letters, digits and dashes');
  }
  const { state_dir: stateDir } = context.config;
  const reset = await resetState(context, wanted).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'JournalHeld') {
      throw new CommandFailed(`a node is running from ${stateDir}: stop it first`);
    }
    if (error instanceof Error && error.name === 'ResetRefused') throw new BadInput('NEW', wanted ?? '', error.message);
    throw error;
  });
  if (context.json) {
    printJson(context, { ...reset, from: reset.from ?? null, aside: reset.aside ?? null });
    return EXIT.done;
  }
  context.print(`this node is now ${reset.to}, with a new key: ${reset.key}\n`);
  if (reset.aside !== undefined)
    context.print(`its old state is in ${reset.aside}; remove it when it is no longer needed\n`);
  if (reset.from !== undefined) {
    context.report(`the work of ${reset.from} continues on the original; if the broker has users, add ${reset.to}`);
  }
  return EXIT.done;
}
