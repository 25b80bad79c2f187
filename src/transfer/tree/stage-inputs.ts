/**
 * Copies the inputs of an item into its own directory, each under its base name. An input that cannot be copied as it
 * is (a device, a link that leads out of its input, two inputs with the same name) is refused by name, never skipped.
 */
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode } from '../../os/errors.js';
import { Refused } from '../outcome.js';
import { createInnerTree, type InnerTree } from './inner-tree.js';
import { copySparse } from './sparse-file.js';
import { createTaskPool, type TaskPool } from '../workspace/task-pool.js';
import { checkName, walkTree } from './tree-walk.js';

const COPIES_MAX = 8;

interface Copying {
  readonly target: string;
  readonly tree: InnerTree;
  readonly pool: TaskPool;
}

/** Copies `inputs` below `target`, which is created. Throws {@link Refused} for invalid inputs. */
export async function stageInputs(inputs: readonly string[], target: string): Promise<void> {
  const named = nameInputs(inputs);
  const copying = { target, tree: createInnerTree(target, 'replace'), pool: createTaskPool(COPIES_MAX) };
  await copying.tree.ensure('.');
  try {
    for (const [name, input] of named) await stageInput(copying, name, input);
  } finally {
    await copying.pool.drain();
  }
}

function nameInputs(inputs: readonly string[]): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const input of inputs) {
    const path = resolve(input);
    const name = basename(path);
    if (name === '') throw new Refused(`the input ${input} has no name of its own`);
    checkName(name);
    const other = named.get(name);
    if (other !== undefined) throw new Refused(`the inputs ${other} and ${path} are both named ${name}`);
    named.set(name, path);
  }
  return named;
}

async function stageInput(copying: Copying, name: string, input: string): Promise<void> {
  const stats = await lookAt(input);
  if (stats.isFile()) return copyEntry(copying, name, input);
  if (!stats.isDirectory()) throw new Refused(`the input ${input} is neither a file nor a directory`);
  await copying.tree.ensure(name);
  for await (const entry of walkTree(input, 'refuse')) {
    const path = `${name}/${entry.path}`;
    checkName(path);
    if (entry.kind === 'directory') await copying.tree.ensure(path);
    else await copyEntry(copying, path, entry.source);
  }
}

async function lookAt(input: string): Promise<Stats> {
  try {
    return await stat(input);
  } catch (error) {
    throw describeFault(input, error);
  }
}

async function copyEntry({ target, tree, pool }: Copying, path: string, source: string): Promise<void> {
  await tree.ensure(dirname(path));
  await pool.add(async () => {
    try {
      await copySparse(source, join(target, path));
    } catch (error) {
      throw describeFault(source, error);
    }
  });
}

function describeFault(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Refused(`the input ${path} does not exist`);
  if (code === 'EACCES') return new Refused(`the input ${path} cannot be read: permission denied`);
  return error;
}
