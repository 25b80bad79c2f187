/**
 * `tritmesh reset-identity [NEW]`: makes a copy of a node (a cloned VM, an SD card) a node of its own, with a new key, a new id and
 * nothing of the other's work. What was here is moved aside, not removed: a result may be in it that somebody wants.
 */
import { resetState } from '../compose-reset.js';
import { NODE_ID_PATTERN } from '../protocol/topics.js';
import { printJson, type Context } from './context.js';
import { BadInput, CommandFailed, EXIT } from './failure.js';

/** Resets; the node of this state directory must not run. */
export async function resetIdentity(context: Context, wanted: string | undefined): Promise<number> {
  if (wanted !== undefined && !NODE_ID_PATTERN.test(wanted)) {
    throw new BadInput('NEW', wanted, 'must be 1 to 32 lower-case letters, digits and dashes');
  }
  const { state_dir: stateDir } = context.config;
  const reset = await resetState(context, wanted).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'JournalHeld') {
      throw new CommandFailed(`a node runs from ${stateDir}: stop it first`);
    }
    if (error instanceof Error && error.name === 'ResetRefused') throw new BadInput('NEW', wanted ?? '', error.message);
    throw error;
  });
  if (context.json) {
    printJson(context, { ...reset, from: reset.from ?? null, aside: reset.aside ?? null });
    return EXIT.done;
  }
  context.print(`this is ${reset.to} now, with a key of its own: ${reset.key}\n`);
  if (reset.aside !== undefined) context.print(`what was here is in ${reset.aside}; remove it when nobody wants it\n`);
  if (reset.from !== undefined) {
    context.say(`work of ${reset.from} goes on where that runs; where the broker has users, make ${reset.to}`);
  }
  return EXIT.done;
}
