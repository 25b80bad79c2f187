/**
 * The entry point of the library: a node, or a view of the mesh, from a few options. Options left out come from the
 * same sources as those of the commands: TRITMESH_* variables, the configuration file, defaults.
 */
import { randomInt } from 'node:crypto';
import { composeClient } from './client.js';
import { composeNode } from './node.js';
import type { Config } from '../config/config.js';
import { loadConfig } from '../config/load-config.js';
import type { RunningNode } from '../node/running-node.js';
import { meshView as viewBus, type MeshView } from '../observe/mesh-view.js';
import { itemSchema, type Command, type Item } from '../protocol/item.js';
import { formatItemId, ITEM_ID_ENDS, nameAfter } from '../protocol/item-name.js';

/** Any keys of the configuration, see {@link Config}; groups such as `sense` may be given in part. */
export type NodeOptions = {
  readonly [K in keyof Config]?: Config[K] extends readonly unknown[]
    ? Config[K]
    : Config[K] extends object
      ? Partial<Config[K]>
      : Config[K];
};

/** An item to submit. Everything except `command.argv` may be left out. */
export type ItemOptions = Partial<Omit<Item, 'command'>> & {
  /** What to run. Only `argv` must be given: the program and its arguments. */
  readonly command: Partial<Command> & Pick<Command, 'argv'>;
};

/**
 * A node in this process. `members$`, `sum$`, `direction$`, `receivers$` and `items$` emit their current value first;
 * after that `members$`, `receivers$` and `items$` emit at most every 100 ms.
 */
export interface LibraryNode extends Omit<RunningNode, 'submit' | 'stop'> {
  /**
   * Submits an item and resolves with its id once the journal has it. Rejects with TypeError for an invalid item, and
   * with Error if the journal cannot be written or there is an item of this id.
   */
  submit(item: ItemOptions): Promise<string>;
  /**
   * Publishes `offline`, undoes throttles, closes everything and completes all Observables except `leaves$`. Running
   * jobs go on under their watchdogs. May be called more than once.
   */
  stop(): Promise<void>;
}

/**
 * A view of the mesh with its own connection. `members$`, `sum$`, `direction$`, `receivers$` and `items$` emit their
 * current value first, then each change.
 */
export interface LibraryView extends Omit<MeshView, 'stop'> {
  /** Completes all Observables and closes the connection. */
  stop(): Promise<void>;
}

/**
 * Starts a node in this process. Resolves once it runs; the broker need not be there yet. Rejects with ConfigError,
 * IdentityConflict, IdTaken, TwinFound, JournalHeld, KeyFileError or StateFormatError.
 */
export async function createLibraryNode(options: NodeOptions = {}): Promise<LibraryNode> {
  const { node, stop } = await composeNode(await loadConfig({ flags: flatten(options, '') }));
  // Nobody restarts it here: a node that may have a twin stays stopped.
  let stopped: Promise<void> | undefined;
  const stopOnce = (): Promise<void> => (stopped ??= stop());
  node.leaves$.subscribe(() => void stopOnce());
  return { ...node, stop: stopOnce, submit: (item) => submit(node, item) };
}

/**
 * Opens a view of a mesh without being a node of it; needs no key. Resolves when connected, rejects with
 * BrokerUnreachable.
 */
export async function createLibraryView(options: NodeOptions = {}): Promise<LibraryView> {
  const { config } = await loadConfig({ flags: flatten(options, '') });
  const { broker, base, id, username, password, ca_file: caFile } = config;
  const client = composeClient({ broker, base, id, username, password, caFile });
  const view = viewBus({ bus: client.bus, base, clock: client.clock });
  await client.connect();
  return {
    ...view,
    stop: () => {
      view.stop();
      return client.close();
    },
  };
}

/** Converts groups of keys to the names of flags: `sense.metric` is `sense-metric`. */
function flatten(options: object, prefix: string): Record<string, unknown> {
  const flags: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const flag = `${prefix}${name.replaceAll('_', '-')}`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) flags[flag] = value;
    else Object.assign(flags, flatten(value, `${flag}-`));
  }
  return flags;
}

function submit(node: RunningNode, options: ItemOptions): Promise<string> {
  const { id = formatItemId(Date.now(), randomInt(ITEM_ID_ENDS)), ...rest } = options;
  const parsed = itemSchema.safeParse({ item: id, name: nameAfter(options.command.argv), ...rest });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.join('.') ?? '';
    const field = path === 'item' ? 'id' : path;
    return Promise.reject(new TypeError(`item.${field}: ${issue?.message ?? 'is not valid'}`));
  }
  return new Promise((resolve, reject) => {
    node.submit(parsed.data, (error) => (error === undefined ? resolve(parsed.data.id) : reject(error)));
  });
}
