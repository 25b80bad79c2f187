/**
 * `tritmesh clean`: removes files that are no longer needed from the state directory. A running node does it itself;
 * without one this command does it, from the journal. It never removes what the journal refers to.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sweepStopped } from '../../compose/clean.js';
import type { Swept } from '../../transfer/transfer.js';
import { requestNode } from '../request/request-node.js';
import { printJson, type Context } from '../context.js';
import { CommandFailed, EXIT } from '../failure.js';
import { formatByteCount, showText } from '../render/format.js';

/** Flags of `clean`. */
export interface CleanFlags {
  readonly dryRun?: boolean;
  readonly ended?: boolean;
}

/** How long the node may take, ms: enough for a few million files on a slow disk. */
const CLEAN_MS = 30 * 60_000;

type Cleaned = Swept & { readonly count: number };

/** The node's answer: it may be of another version. */
const cleanedSchema: z.ZodType<Cleaned> = z.object({
  paths: z.array(z.object({ path: z.string(), bytes: z.number() })),
  bytes: z.number(),
  count: z.number(),
  kept: z.number(),
  left: z.array(z.object({ path: z.string(), reason: z.string() })),
});

/** Cleans; exits with 1 if something could not be removed. */
export async function cleanState(context: Context, { dryRun = false, ended = false }: CleanFlags): Promise<number> {
  const { state_dir } = context.config;
  if (!existsSync(join(state_dir, 'journal')))
    throw new CommandFailed(`no node has ever used the state directory ${state_dir}`);
  const cleaned = await sweep(context, dryRun, ended);
  if (context.json) printJson(context, { ...cleaned, dry_run: dryRun });
  else context.print(renderCleaned(cleaned, dryRun));
  return cleaned.left.length > 0 ? EXIT.failed : EXIT.done;
}

async function sweep(context: Context, dryRun: boolean, ended: boolean): Promise<Cleaned> {
  const { id } = context.config;
  const swept = await sweepStopped(context.config, dryRun);
  if (swept !== 'held') {
    if (ended)
      context.report('--ended has no effect while the node is stopped: only a running node may remove ended items');
    return { ...swept, count: swept.paths.length };
  }
  const { data } = await requestNode(context, id, 'clean', { dry_run: dryRun, ended }, CLEAN_MS);
  const parsed = cleanedSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CommandFailed(
    `${id} answered with something else than what it removed (${issue?.path.join('.') ?? 'data'}: ${issue?.message ?? ''})`,
  );
}

function renderCleaned({ paths, bytes, count, kept, left }: Cleaned, dryRun: boolean): string {
  const lines = paths.map((one) => `${formatByteCount(one.bytes)}  ${showText(one.path)}`);
  if (count > paths.length) lines.push(`and ${count - paths.length} more`);
  const what = dryRun ? 'would be removed' : 'removed';
  lines.push(count === 0 ? 'nothing to remove' : `${formatByteCount(bytes)} ${what}`);
  if (kept > 0) lines.push(`${kept} guest directories are kept: their files still have to be fetched by hand`);
  for (const one of left) lines.push(`cannot remove ${showText(one.path)}: ${showText(one.reason)}`);
  return `${lines.join('\n')}\n`;
}
