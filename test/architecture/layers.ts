/** The layers of the design: which layer a file is in, and which layers and packages each may import. */

/** A layer; `port`, `vocabulary` and `adapter` share folders. */
export type Layer =
  | 'protocol'
  | 'core'
  | 'os'
  | 'port'
  | 'vocabulary'
  | 'pipelines'
  | 'adapter'
  | 'node'
  | 'observe'
  | 'config'
  | 'log'
  | 'sim'
  | 'compose'
  | 'cli'
  | 'index'
  | 'broker'
  | 'bench';

/** Files in a port's folder that say what its words and keys mean and touch nothing outside: no file, no socket. */
const VOCABULARY_FILES: ReadonlySet<string> = new Set([
  'src/sense/metric.ts',
  'src/identity/certificate.ts',
  'src/identity/create-identity.ts',
  'src/identity/seal.ts',
  'src/checkpoint/criu-log.ts',
]);
const PORT_FILES: ReadonlySet<string> = new Set([
  'src/bus/bus.ts',
  'src/bus/local-door.ts',
  'src/sense/sense.ts',
  'src/transfer/transfer.ts',
  'src/transfer/direct.ts',
  'src/run/runner.ts',
  'src/checkpoint/checkpoint.ts',
  'src/container/containers.ts',
  'src/throttle/throttle.ts',
  'src/journal/journal.ts',
  'src/identity/identity.ts',
  'src/clock/clock.ts',
  // No port, and pure: the simulator's nodes tell time by the same rules.
  'src/clock/steady-clock.ts',
]);
const ADAPTER_FOLDERS: ReadonlySet<string> = new Set([...PORT_FILES].map((file) => file.split('/')[1] ?? ''));
/** The one place that picks adapters, a file for each program (node, client, broker), and what they read of the machine. */
const COMPOSE_FILES = /^src\/(?:compose(?:-[a-z]+)*|machine-facts|inherited-descriptors)\.ts$/;
const FOLDERS: Readonly<Record<string, Layer>> = {
  protocol: 'protocol',
  core: 'core',
  os: 'os',
  pipelines: 'pipelines',
  node: 'node',
  observe: 'observe',
  config: 'config',
  log: 'log',
  sim: 'sim',
  cli: 'cli',
};

/** The layer of a file; `undefined` when the design has no place for it. */
export function findLayer(path: string): Layer | undefined {
  const [root, folder = ''] = path.split('/');
  if (root === 'broker' || root === 'bench') return root;
  if (root !== 'src') return undefined;
  if (path === 'src/index.ts') return 'index';
  if (COMPOSE_FILES.test(path)) return 'compose';
  if (PORT_FILES.has(path)) return 'port';
  if (VOCABULARY_FILES.has(path)) return 'vocabulary';
  if (ADAPTER_FOLDERS.has(folder)) return 'adapter';
  return path.split('/').length > 2 && Object.hasOwn(FOLDERS, folder) ? FOLDERS[folder] : undefined;
}

/** What a layer may import, beside itself; adapters import only those of their own folder. */
export const ALLOWED_LAYERS: Readonly<Record<Layer, readonly Layer[] | 'any'>> = {
  protocol: [],
  core: ['protocol'],
  // Read-only facts of the system, below every adapter: it decides nothing and knows no word of the mesh.
  os: [],
  port: ['protocol', 'core'],
  pipelines: ['protocol', 'core', 'port'],
  vocabulary: ['protocol', 'core', 'port'],
  adapter: ['protocol', 'core', 'os', 'port', 'vocabulary'],
  node: ['protocol', 'core', 'port', 'pipelines', 'log'],
  observe: ['protocol', 'core', 'port'],
  // It says what its keys mean to the stages, too.
  config: ['protocol', 'core', 'port', 'vocabulary', 'pipelines'],
  log: [],
  // The simulator judges the defaults as they are.
  sim: ['protocol', 'core', 'port', 'pipelines', 'node', 'config'],
  compose: 'any',
  cli: ['protocol', 'core', 'os', 'port', 'vocabulary', 'node', 'observe', 'config', 'log', 'sim', 'compose', 'broker'],
  index: 'any',
  broker: ['protocol', 'core', 'port', 'vocabulary', 'adapter', 'config', 'log'],
  bench: 'any',
};

/** The packages a layer may import; a layer that is not named may import any. */
export const ALLOWED_PACKAGES: Partial<Readonly<Record<Layer, readonly string[]>>> = {
  protocol: ['zod'],
  core: [],
  port: ['rxjs'],
  pipelines: ['rxjs'],
};

/** Whether an adapter is one in memory, which the simulator runs on, too. */
export function isMemoryAdapter(path: string): boolean {
  return /\/memory-[a-z-]+\.ts$/.test(path);
}
