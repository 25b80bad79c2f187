/**
 * The stage of the demo: a temporary directory, an embedded broker on a free port, and nodes, each the real program in
 * its own process. Whatever happens, `close` leaves no process and no file.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { watchBus, type BusWatch } from './bus-watch.js';
import { DemoFailed, insist } from './demo-failed.js';
import { endLeftovers } from './leftovers.js';
import type { Narrator } from './narrator.js';
import { formatConfig } from './node-config.js';
import { createPrograms, type Ended, type Programs } from './programs.js';
import type { WaitList } from './wait-list.js';

/** What the parts of the demo act on. */
export interface Stage {
  readonly narrator: Narrator;
  readonly watch: BusWatch;
  /** The working directory of the commands. */
  readonly directory: string;
  /** Starts a node and waits for its first state. */
  startNode(id: string): Promise<void>;
  /** Runs `tritmesh …` for a node, and prints it as it would be typed. */
  tritmesh(node: string, argv: readonly string[]): Promise<Ended>;
  /** Submits without waiting for the end; resolves with the item's id. */
  submit(node: string, argv: readonly string[]): Promise<string>;
}

/** The base topic: the default one, since the broker belongs to the demo alone. */
const BASE = 'tritmesh';
const PROGRAM = fileURLToPath(new URL('../bin/tritmesh.js', import.meta.url));
/** A node closes its journal and disconnects in far less. */
const GRACE_MS = 2000;

/** Directories and processes of the demo. It exists before anything runs, so that it can be closed at any time. */
export interface DemoContext {
  readonly programs: Programs;
  /** Starts the broker and opens the stage. */
  open(): Promise<Stage>;
  close(): Promise<void>;
}

/** Creates the directories; nothing runs yet. */
export function createDemoContext(narrator: Narrator, waits: WaitList): DemoContext {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tritmesh-demo-')));
  const directory = join(root, 'work');
  mkdirSync(directory);
  const config = join(root, 'demo.yaml');
  writeFileSync(config, formatConfig());
  const programs = createPrograms({ directory, variables: cleanVariables(process.env) });
  let watch: BusWatch | undefined;

  return {
    programs,
    async open() {
      const url = await startBroker(programs, root, waits);
      watch = await watchBus({ url, base: BASE, waits, onHeard: (heard) => narrator.heard(BASE, heard) });
      narrator.print(`broker at ${url}; to watch everything: mosquitto_sub -p ${new URL(url).port} -t '${BASE}/#' -v`);
      const shared = ['--broker', url, '--config', config];
      const flagsOf = (id: string): readonly string[] => [...shared, '--id', id, '--state-dir', join(root, id)];
      return createStage({ narrator, watch, directory, programs, waits, flagsOf });
    },
    async close() {
      await watch?.close();
      await programs.stop(GRACE_MS);
      try {
        endLeftovers(root);
      } finally {
        rmSync(root, { recursive: true, force: true, maxRetries: 10 });
      }
    },
  };
}

/** The environment without the user's own settings of tritmesh. */
function cleanVariables(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('TRITMESH_')));
}

async function startBroker(programs: Programs, root: string, waits: WaitList): Promise<string> {
  const argv = [PROGRAM, 'broker', '--port', '0', '--base', BASE, '--state-dir', join(root, 'broker')];
  const line = await waits.during('the embedded broker', programs.stay('the broker', argv));
  const [url] = /mqtt:\/\/\S+/.exec(line) ?? [];
  if (url === undefined) throw new DemoFailed(`the broker did not report where it listens: ${line}`);
  return url;
}

interface StageDeps extends Pick<Stage, 'narrator' | 'watch' | 'directory'> {
  readonly programs: Programs;
  readonly waits: WaitList;
  flagsOf(id: string): readonly string[];
}

function createStage({ programs, waits, flagsOf, ...shown }: StageDeps): Stage {
  const { narrator, watch } = shown;

  async function tritmesh(node: string, [command = '', ...rest]: readonly string[]): Promise<Ended> {
    const line = describeCommand(command, node, rest);
    narrator.command(line);
    return waits.during(`"${line}" to end`, programs.run([PROGRAM, command, ...flagsOf(node), ...rest]));
  }

  return {
    ...shown,
    tritmesh,
    async startNode(id) {
      const flags = ['--sense', 'tree:jobs', '--cpus', NODE_CPUS, '--slots', '4'];
      narrator.command(describeCommand('node', id, flags));
      await waits.during(
        `node ${id} to start`,
        programs.stay(`node ${id}`, [PROGRAM, 'node', ...flagsOf(id), ...flags]),
      );
      await watch.until(`the first state of ${id}`, ({ states }) => states.get(id));
    },
    async submit(node, argv) {
      const { code, stdout, stderr } = await tritmesh(node, argv);
      insist(code === 0, `tritmesh ${argv[0]} ended with exit code ${code}: ${stderr.trim()}`);
      return stdout.trim();
    },
  };
}

/** Each node has half a core, so that three of them fit on the smallest machine. */
const NODE_CPUS = '0.5';

/** A command as a user would type it: paths without their directories. */
function describeCommand(command: string, node: string, rest: readonly string[]): string {
  const words = rest.map((word) => (word.startsWith('/') ? (word.split('/').at(-1) ?? word) : word));
  return ['tritmesh', command, '--id', node, ...words.map(quoteWord)].join(' ');
}

function quoteWord(word: string): string {
  return /^[\w./:=*-]+$/.test(word) ? word : `'${word}'`;
}
