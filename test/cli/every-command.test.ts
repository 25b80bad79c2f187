/**
 * Every command that `--help` lists, each as a separate process with a separate state directory, as a newcomer would
 * type it: without a broker, with a broker, with a broker and a node. The list comes from the program, so new commands
 * are covered.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBroker, type RunningBroker } from '../../broker/create-broker.js';
import { createProgram } from '../../src/cli/program.js';
import { allUp, cleanEnvironment, MAIN, openScene, type NodeProcess, type Scene } from '../support/programs.js';
import { temporaryDirectories } from '../support/temporary-directory.js';

const makeDirectory = temporaryDirectories();

/** What a newcomer types for each operand. */
const OPERANDS: Readonly<Record<string, readonly string[]>> = {
  url: ['URL'],
  user: ['alpha'],
  program: ['--', 'true'],
  item: ['mh2k8x1p-7qd3'],
  what: ['top'],
  // The current id: the node, which all commands share, must keep it.
  new: ['alpha'],
};

/** Additional flags: a free port, and a simulation of less than half a minute. */
const EXTRAS: Readonly<Record<string, readonly string[]>> = {
  up: ['--port', 'PORT'],
  broker: ['--port', 'PORT'],
  simulate: ['--seeds', '3'],
};

type Place = 'nothing' | 'a broker' | 'a broker and a node';

/** The expected exit code and stderr; `runs`: the command runs until it is stopped, and prints this once it is up. */
type Outcome = { readonly code: number; readonly says?: RegExp } | { readonly runs: RegExp; readonly code?: number };

const UNREACHABLE: Outcome = {
  code: 1,
  says: /^tritmesh: no node is running here \(.*"tritmesh up" starts one\), and the broker cannot be reached: connection refused at mqtt:/,
};
const NO_NODE: Outcome = { code: 1, says: /no node "alpha" is known below tritmesh; is it running\?/ };
const NO_ITEM: Outcome = { code: 1, says: /no such item here: mh2k8x1p-7qd3/ };
const DONE: Outcome = { code: 0 };
const A_NODE: Outcome = { runs: /node alpha at mqtt:[^]*watch it with: tritmesh status,/, code: 0 };
/** Its port is not the default, so the hint names the broker. */
const A_MESH: Outcome = {
  runs: /node alpha at mqtt:[^]*watch it with: tritmesh status --broker mqtt:\/\/127\.0\.0\.1:\d+, /,
  code: 0,
};

/** The outcome of each command; one that is not listed must still meet the rules for all commands. */
const OUTCOMES: Readonly<Record<string, Readonly<Record<Place, Outcome>>>> = {
  up: { nothing: A_MESH, 'a broker': A_MESH, 'a broker and a node': { code: 1, says: /in use by another process/ } },
  node: { nothing: A_NODE, 'a broker': A_NODE, 'a broker and a node': { code: 1, says: /in use by another process/ } },
  join: { nothing: A_NODE, 'a broker': A_NODE, 'a broker and a node': { code: 1, says: /in use by another process/ } },
  broker: all({ runs: /broker at mqtt:\/\/127\.0\.0\.1:/, code: 0 }),
  'broker passwd': all(DONE),
  run: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': DONE },
  defer: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': DONE },
  cancel: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': NO_ITEM },
  retry: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': NO_ITEM },
  fetch: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': NO_ITEM },
  migrate: {
    nothing: UNREACHABLE,
    'a broker': NO_NODE,
    'a broker and a node': {
      code: 1,
      says: /nothing that tritmesh started runs or waits here|cannot be moved|no receiver/,
    },
  },
  rename: all({ code: 2, says: /is already the id of this node/ }),
  drain: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': DONE },
  resume: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': DONE },
  status: { nothing: UNREACHABLE, 'a broker': DONE, 'a broker and a node': DONE },
  receivers: { nothing: UNREACHABLE, 'a broker': DONE, 'a broker and a node': DONE },
  scum: {
    nothing: UNREACHABLE,
    'a broker': { code: 1, says: /alpha/ },
    'a broker and a node': DONE,
  },
  items: { nothing: UNREACHABLE, 'a broker': DONE, 'a broker and a node': DONE },
  logs: { nothing: UNREACHABLE, 'a broker': NO_NODE, 'a broker and a node': NO_ITEM },
  watch: {
    nothing: { runs: /connection refused at mqtt:.*; still trying/, code: 0 },
    'a broker': { runs: /0 online/, code: 0 },
    'a broker and a node': { runs: /1 online/, code: 0 },
  },
  simulate: all(DONE),
  doctor: { nothing: { code: 1 }, 'a broker': DONE, 'a broker and a node': DONE },
  config: all(DONE),
};

function all(outcome: Outcome): Readonly<Record<Place, Outcome>> {
  return { nothing: outcome, 'a broker': outcome, 'a broker and a node': outcome };
}

const program = createProgram('0.0.0', () => {});
const commands = listCommands(program, []);

let broker: RunningBroker;
let withNode: RunningBroker;
let scene: Scene;
let node: NodeProcess;

beforeAll(async () => {
  broker = await createBroker({ base: 'tritmesh', port: 0 });
  withNode = await createBroker({ base: 'tritmesh', port: 0 });
  scene = openScene(withNode.url);
  node = await scene.node('alpha', 'fixed:0.1', { TRITMESH_TRIT_MINUS_HOLD_MS: '0' });
  await allUp(await scene.ear(), ['alpha']);
});

afterAll(async () => {
  await scene.end();
  await withNode.close();
  await broker.close();
});

it('each command has its outcomes listed', () => {
  expect(commands.length).toBeGreaterThan(15);
  expect(Object.keys(OUTCOMES).filter((name) => !commands.some((one) => one.name === name))).toEqual([]);
});

describe.each(commands)('tritmesh $name', ({ name, command }) => {
  it('has a help text', async () => {
    const ended = await start([...name.split(' '), '--help'], 'nothing').ended;
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain(`tritmesh ${name}`);
  });

  it.each<Place>(['nothing', 'a broker', 'a broker and a node'])(
    'typed by a newcomer, with %s',
    { timeout: 60_000 },
    async (place) => {
      const outcome = OUTCOMES[name]?.[place];
      if (place === 'a broker') await renewBroker();
      const running = start([...name.split(' '), ...(await operandsOf(name, command, place))], place);
      const isRunner = outcome === undefined ? await running.lasts() : 'runs' in outcome;
      if (isRunner) await running.stopOnce(outcome !== undefined && 'runs' in outcome ? outcome.runs : /./);
      const ended = await running.ended;
      const said = ended.stdout + ended.stderr;
      expect(said).not.toMatch(/^\s+at .*:\d+:\d+\)?$|node:internal|Unhandled|undefined|\[object/m);
      if (ended.code !== 0 && ended.code !== null) {
        expect([1, 2, 125, 130]).toContain(ended.code);
        // Doctor reports it in its table.
        if (name !== 'doctor') expect(ended.stderr).toMatch(/^tritmesh: \S/);
      }
      if (outcome === undefined) return;
      if (outcome.code !== undefined) expect({ code: ended.code, said }).toEqual({ code: outcome.code, said });
      if ('says' in outcome && outcome.says !== undefined) expect(ended.stderr).toMatch(outcome.says);
    },
  );
});

interface Named {
  readonly name: string;
  readonly command: Command;
}

function listCommands(parent: Command, path: readonly string[]): readonly Named[] {
  return parent.commands.flatMap((command) => {
    const here = [...path, command.name()];
    return [{ name: here.join(' '), command }, ...listCommands(command, here)];
  });
}

async function operandsOf(name: string, command: Command, place: Place): Promise<readonly string[]> {
  const operands = command.registeredArguments
    .filter((one) => one.required)
    .flatMap((one) => {
      const typed = OPERANDS[one.name()];
      if (typed === undefined) throw new Error(`what does a newcomer type for <${one.name()}> of ${name}?`);
      return typed;
    });
  const port = await findFreePort();
  return [...(EXTRAS[name] ?? []), ...operands].map((word) => {
    if (word === 'PORT') return String(port);
    return word === 'URL' ? urlOf(place) : word;
  });
}

/** A broker on which no other command has left anything: a node that was there is known after it has gone. */
async function renewBroker(): Promise<void> {
  await broker.close();
  broker = await createBroker({ base: 'tritmesh', port: 0 });
}

/** Nothing listens on port 1 of loopback. */
function urlOf(place: Place): string {
  if (place === 'nothing') return 'mqtt://127.0.0.1:1';
  return place === 'a broker' ? broker.url : withNode.url;
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly ended: Promise<Ended>;
  /** Whether it is still running after a while. */
  lasts(): Promise<boolean>;
  /** Stops it once it has printed something. */
  stopOnce(pattern: RegExp): Promise<void>;
}

const LASTS_MS = 15_000;

function start(args: readonly string[], place: Place): Running {
  const home = makeDirectory();
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: home,
    env: {
      ...cleanEnvironment(),
      HOME: home,
      TRITMESH_ID: 'alpha',
      TRITMESH_BROKER: urlOf(place),
      TRITMESH_STATE_DIR: place === 'a broker and a node' ? node.stateDir : join(home, 'state'),
      TRITMESH_TRANSFER_LISTEN: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end('secret\n');
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (chunk: Buffer) => {
      said[stream] += chunk.toString();
      child.emit('said');
    });
  }
  const closed = once(child, 'close') as Promise<[number | null]>;
  return {
    ended: closed.then(([code]) => ({ code, ...said })),
    lasts: () =>
      Promise.race([
        closed.then(() => false),
        new Promise<boolean>((resolve) => void setTimeout(resolve, LASTS_MS, true)),
      ]),
    async stopOnce(pattern) {
      while (!pattern.test(said.stdout + said.stderr)) {
        const end = await Promise.race([once(child, 'said').then(() => undefined), closed]);
        if (end !== undefined) throw new Error(`ended with ${end[0]} before ${pattern}: ${JSON.stringify(said)}`);
      }
      child.kill('SIGTERM');
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
