/**
 * A node on each of two hosts, a broker for both behind a proxy that can cut connections, and commands that run on a
 * host. A node is killed by its pid, and nothing of it is left when the hosts end.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy, type FaultProxy } from './fault-proxy.js';
import type { TestBroker } from './brokers.js';
import { MAIN, QUICK, runProgram, type Ended } from './programs.js';
import { openTwoHosts, PLACE, type Host, type TwoHosts } from './two-hosts.js';

/** A node on its own host. */
export interface HostNode {
  readonly id: string;
  readonly host: Host;
  readonly stateDir: string;
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Ends it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has ended. */
  gone(): Promise<void>;
  /** Runs a tritmesh command on the host, for this node; `cwd` is a directory there. */
  command(args: readonly string[], cwd?: string): Promise<Ended>;
  output(): string;
  /** Resolves when its output contains this text. */
  says(text: string): Promise<void>;
  /** Sends SIGCONT. */
  resume(): void;
}

/** The two hosts with their nodes. */
export interface TwoNodes {
  readonly two: TwoHosts;
  readonly nodes: readonly [HostNode, HostNode];
  /** The proxy between the hosts and the broker. */
  readonly line: FaultProxy;
  end(): Promise<void>;
}

/** Starts the nodes `one` and `two`, both idle, or with the given metrics and variables. */
export async function openTwoNodes(
  broker: TestBroker,
  sense: readonly [string, string] = IDLE,
  env: readonly Readonly<Record<string, string>>[] = [],
): Promise<TwoNodes> {
  const two = await openTwoHosts();
  const line = await startFaultProxy(Number(new URL(broker.url).port), two.here);
  const url = `mqtt://${two.here}:${line.port}`;
  const nodes = two.hosts.map((host, at) => createHostNode(host, url, sense[at] ?? 'fixed:0.1'));
  const [one, other] = nodes;
  if (one === undefined || other === undefined) throw new Error('there are two hosts');
  await Promise.all([one.start(env[0]), other.start(env[1])]);
  return {
    two,
    nodes: [one, other],
    line,
    end: async () => {
      await two.end();
      await line.close();
    },
  };
}

const IDLE: readonly [string, string] = ['fixed:0.1', 'fixed:0.1'];

function createHostNode(host: Host, url: string, sense: string): HostNode {
  const id = host.name;
  // Different paths on each host: nothing may depend on equal paths.
  const stateDir = `${PLACE}/state-${id}`;
  const output = `${PLACE}/node.log`;
  const flags = ['--id', id, '--broker', url, '--state-dir', stateDir];
  let pid = 0;
  mkdirSync(host.path(stateDir), { recursive: true });

  const isGone = (): boolean => {
    try {
      return host.run('ps', '-o', 'stat=', '-p', String(pid)).startsWith('Z');
    } catch {
      return true;
    }
  };
  const read = (): string => readFileSync(host.path(output), 'utf8');
  const gone = async (): Promise<void> => {
    while (!isGone()) await sleep(100);
  };

  return {
    id,
    host,
    stateDir,
    start: async (env = {}) => {
      const variables = { ...QUICK, TRITMESH_TRANSFER_LISTEN: host.address, ...env };
      const assigned = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
      const args = [...assigned, process.execPath, MAIN, 'node', ...flags, '--sense', sense];
      pid = await host.start('env', args, output);
    },
    kill: async () => {
      host.run('kill', '-KILL', String(pid));
      await gone();
    },
    gone,
    command: (args, cwd) => {
      const [command = '', ...rest] = args;
      const [program = '', ...enter] = host.within;
      const at = cwd === undefined ? [] : ['env', '-C', cwd];
      return runProgram(program, [...enter, ...at, process.execPath, MAIN, command, ...flags, ...rest]);
    },
    output: read,
    says: async (text) => {
      while (!read().includes(text)) await sleep(50);
    },
    resume: () => void host.run('kill', '-CONT', String(pid)),
  };
}
