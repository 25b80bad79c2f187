/**
 * `tritmesh clean`: removes what nobody needs any more from this machine's state directory. The node does it where one runs; else
 * it is done here, by what the journal says. It never touches what the journal knows.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sweepStopped } from '../compose-clean.js';
import type { Swept } from '../transfer/transfer.js';
import { askNode } from './ask-node.js';
import { printJson, type Context } from './context.js';
import { CommandFailed, EXIT } from './failure.js';
import { formatBytes, showText } from './render/words.js';

/** Flags of `clean`. */
export interface CleanFlags {
  readonly dryRun?: boolean;
  readonly ended?: boolean;
}

/** A few million files on a slow disk. */
const CLEAN_MS = 30 * 60_000;

type Cleaned = Swept & { readonly count: number };

/** Cleans; exits with 1 if something cannot be removed. */
export async function cleanState(context: Context, { dryRun = false, ended = false }: CleanFlags): Promise<number> {
  const { state_dir } = context.config;
  if (!existsSync(join(state_dir, 'journal'))) throw new CommandFailed(`no node has ever run from ${state_dir}`);
  const cleaned = await sweep(context, dryRun, ended);
  if (context.json) printJson(context, { ...cleaned, dry_run: dryRun });
  else context.print(renderCleaned(cleaned, dryRun));
  return cleaned.left.length > 0 ? EXIT.failed : EXIT.done;
}

async function sweep(context: Context, dryRun: boolean, ended: boolean): Promise<Cleaned> {
  const { id } = context.config;
  const swept = await sweepStopped(context.config, dryRun);
  if (swept !== 'held') {
    if (ended) context.say('--ended needs the node to run: only it may end what it keeps');
    return { ...swept, count: swept.paths.length };
  }
  const { data } = await askNode(context, id, 'clean', { dry_run: dryRun, ended }, CLEAN_MS);
  return data as unknown as Cleaned;
}

function renderCleaned({ paths, bytes, count, kept, left }: Cleaned, dryRun: boolean): string {
  const lines = paths.map((one) => `${formatBytes(one.bytes)}  ${showText(one.path)}`);
  if (count > paths.length) lines.push(`and ${count - paths.length} more`);
  const what = dryRun ? 'would be removed' : 'removed';
  lines.push(count === 0 ? 'nothing to remove' : `${formatBytes(bytes)} ${what}`);
  if (kept > 0) lines.push(`${kept} directories of guests stay: their files wait to be fetched by hand`);
  for (const one of left) lines.push(`cannot be removed: ${showText(one.path)}: ${showText(one.reason)}`);
  return `${lines.join('\n')}\n`;
}
