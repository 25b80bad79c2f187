/** Creates an item from a command line: drafts it, and has the schema check it. It sends nothing. */
import { itemSchema, type Item } from '../../protocol/item.js';
import { BadInput } from '../failure.js';
import { draftItem, type ItemContext, type ItemDraft, type ItemFlags } from './draft-item.js';

/** Creates the item. Throws {@link BadInput}. */
export function parseItem(argv: readonly string[], flags: ItemFlags, context: ItemContext): Item {
  return checkItem(draftItem(argv, flags, context));
}

/** Checks a draft. Throws {@link BadInput}, which names the flag that a faulty field came from. */
export function checkItem(draft: ItemDraft): Item {
  const checked = itemSchema.safeParse(draft);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const path = issue?.path ?? [];
  throw new BadInput(nameField(path), showValue(draft, path), issue?.message ?? 'is not valid');
}

function showValue(draft: unknown, path: readonly PropertyKey[]): string {
  let value = draft;
  for (const key of path) value = (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

const FIELDS: Readonly<Record<string, string>> = {
  'command.argv': 'the command',
  'command.env': '--env',
  'command.outputs': '--out',
  'command.migrate': '--migrate',
  'command.wall_ms': '--wall',
  'command.stdin': '--stdin',
  'need.on': '--on',
  'need.arch': '--arch',
  'need.os': '--os',
  'need.cpus': '--cpus',
  'need.memory_bytes': '--memory',
  'need.labels': '--label',
  retry: '--retry',
  inputs: '--in',
  name: '--name',
  command: 'the command',
};

/** The flag that a field of the item came from. */
function nameField(path: readonly PropertyKey[]): string {
  return FIELDS[path.slice(0, 2).join('.')] ?? FIELDS[String(path[0])] ?? path.join('.');
}
