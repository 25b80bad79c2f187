/** The layers of the design: the layer of each file, and the layers and packages that each layer may import. */

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

/** Files in a port's folder that only define its terms and keys, without access to files or sockets. */
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
  // Pure, and not a port: simulated nodes derive their time by the same rules.
  'src/clock/steady-clock.ts',
]);
const ADAPTER_FOLDERS: ReadonlySet<string> = new Set([...PORT_FILES].map((file) => file.split('/')[1] ?? ''));
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
  // The only place that chooses adapters: a file for each program, and what they read from the machine.
  compose: 'compose',
};

/** The layer of a file; `undefined` if it is in none. */
export function findLayer(path: string): Layer | undefined {
  const [root, folder = ''] = path.split('/');
  if (root === 'broker' || root === 'bench') return root;
  if (root === 'demo') return 'bench';
  if (root !== 'src') return undefined;
  if (path === 'src/index.ts') return 'index';
  if (PORT_FILES.has(path)) return 'port';
  if (VOCABULARY_FILES.has(path)) return 'vocabulary';
  if (ADAPTER_FOLDERS.has(folder)) return 'adapter';
  return path.split('/').length > 2 && Object.hasOwn(FOLDERS, folder) ? FOLDERS[folder] : undefined;
}

/** The layers that a layer may import besides itself. Adapters import other adapters only from their own folder. */
export const ALLOWED_LAYERS: Readonly<Record<Layer, readonly Layer[] | 'any'>> = {
  protocol: [],
  core: ['protocol'],
  // Facts and files of the system, below every adapter: it decides nothing and knows nothing about the mesh.
  os: [],
  port: ['protocol', 'core'],
  pipelines: ['protocol', 'core', 'port'],
  vocabulary: ['protocol', 'core', 'port'],
  adapter: ['protocol', 'core', 'os', 'port', 'vocabulary'],
  node: ['protocol', 'core', 'port', 'pipelines', 'log'],
  observe: ['protocol', 'core', 'port'],
  // It also maps its keys to the settings of the stages.
  config: ['protocol', 'core', 'os', 'port', 'vocabulary', 'pipelines'],
  log: [],
  // The simulator evaluates the real defaults.
  sim: ['protocol', 'core', 'port', 'pipelines', 'node', 'config'],
  compose: 'any',
  cli: ['protocol', 'core', 'os', 'port', 'vocabulary', 'node', 'observe', 'config', 'log', 'sim', 'compose', 'broker'],
  index: 'any',
  broker: ['protocol', 'core', 'os', 'port', 'vocabulary', 'adapter', 'config', 'log'],
  bench: 'any',
};

/** The packages that a layer may import; a layer that is not listed may import any. */
export const ALLOWED_PACKAGES: Partial<Readonly<Record<Layer, readonly string[]>>> = {
  protocol: ['zod'],
  core: [],
  port: ['rxjs'],
  pipelines: ['rxjs'],
};

/** Whether an adapter is an in-memory one, which the simulator may use. */
export function isMemoryAdapter(path: string): boolean {
  return /\/memory-[a-z-]+\.ts$/.test(path);
}
