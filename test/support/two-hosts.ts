/**
 * Two hosts on one machine: each is a network, mount, pid and UTS namespace with its own disk (a tmpfs at the same path
 * in both), connected with each other and with the test by a switch in another network namespace. They share a kernel
 * and a processor, so differences between real machines are not tested. Everything ends with the pids that were
 * started.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { createInterface } from 'node:readline';
import { requirement } from './requirements.js';

/** One host. */
export interface Host {
  readonly name: string;
  /** IPv4 address on the switch. */
  readonly address: string;
  /** The pid of its first process on this machine; killing it ends the host. */
  readonly init: number;
  /** Program and arguments to put in front of a command that is to run on the host, as for `Place.within`. */
  readonly within: readonly string[];
  /** The path of a file of the host, as seen from the test. */
  path(inside: string): string;
  /** Runs a program on the host to its end and returns its stdout. Throws if it fails. */
  run(program: string, ...args: readonly string[]): string;
  /** Starts a program on the host in a new session, without descriptors of the test; returns its pid there. */
  start(program: string, args: readonly string[], output: string): Promise<number>;
  /** Disconnects the host from the switch, or connects it again. */
  link(state: 'up' | 'down'): void;
}

/** Two hosts. */
export interface TwoHosts {
  /** Absolute path of the directory that is a separate disk on each host. */
  readonly place: string;
  /** The test's own address, on which a broker can listen for both. */
  readonly here: string;
  readonly hosts: readonly [Host, Host];
  /** Ends everything that runs on them. */
  end(): Promise<void>;
}

/** The directory that is a separate disk on each host. */
export const PLACE = '/srv/tritmesh-test';

/** A block of eight addresses from the range for benchmarks: one per test process, and unused by this machine. */
const BLOCK = listBlocks().find((block) => !isInUse(block)) ?? '';
const address = (number: number): string => BLOCK.replace(/\d+$/, (last) => String(Number(last) + number));

/** Whether hosts can be created; otherwise tests are skipped or fail, see test/support/requirements.ts. */
export const canMakeHosts: boolean = requirement(
  'root on Linux to make hosts of namespaces',
  process.platform === 'linux' && process.getuid?.() === 0 && BLOCK !== '' && canUnshare(),
  'run the tests as root with iproute2 and util-linux, with CAP_SYS_ADMIN and CAP_NET_ADMIN',
);

let count = 0;

/** Creates two hosts. */
export async function openTwoHosts(): Promise<TwoHosts> {
  count += 1;
  const tag = `tm${process.pid.toString(36)}${count}`;
  mkdirSync(PLACE, { recursive: true });
  const theSwitch = await startNamespace(['-n', '-p', '-f', '--mount-proc'], ['ip link set lo up']);
  const started = [theSwitch];
  try {
    within(theSwitch.init, 'ip', 'link', 'add', 'switch', 'type', 'bridge');
    within(theSwitch.init, 'ip', 'link', 'set', 'switch', 'up');
    plug(theSwitch.init, tag, undefined, `${address(1)}/29`);
    const hosts = await Promise.all([makeHost('one', 2), makeHost('two', 3)]);
    return { place: PLACE, here: address(1), hosts: [hosts[0], hosts[1]], end };
  } catch (error) {
    await end();
    throw error;
  }

  async function makeHost(name: string, number: number): Promise<Host> {
    const namespace = await startNamespace(
      ['-n', '-m', '-p', '-u', '-f', '--mount-proc'],
      [`mount -t tmpfs -o mode=755 tritmesh-${name} ${PLACE}`, `hostname ${name}`, 'ip link set lo up'],
    );
    started.push(namespace);
    const device = plug(theSwitch.init, `${tag}${number}`, namespace.init, `${address(number)}/29`);
    return describeHost(name, address(number), namespace.init, (state) => {
      within(theSwitch.init, 'ip', 'link', 'set', device, state);
    });
  }

  async function end(): Promise<void> {
    // Remove the device at once: a namespace releases it only some time after its end, and the address is needed again.
    if (started.length > 0) unplug(tag);
    for (const { init, child } of started.splice(0)) {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      process.kill(init, 'SIGKILL');
      await gone;
    }
  }
}

interface Namespace {
  /** The pid of its first process on this machine. */
  readonly init: number;
  readonly child: ChildProcess;
}

/** Starts namespaces with a shell as the first process, which only reaps orphans. */
async function startNamespace(flags: readonly string[], commands: readonly string[]): Promise<Namespace> {
  const text = [...commands, 'echo ready', 'while :; do sleep 3600 & wait $!; done'].join('\n');
  const child = spawn('unshare', [...flags, '/bin/sh', '-ec', text], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the namespaces could not be made: ${said}`);
  });
  ended.catch(() => undefined);
  await Promise.race([ended, once(createInterface({ input: child.stdout }), 'line')]);
  const init = Number.parseInt(
    execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], { encoding: 'utf8' }).trim(),
    10,
  );
  return { init, child };
}

/** Connects a network namespace (`undefined`: this one) to the switch; returns the device on the switch's side. */
function plug(hub: number, name: string, target: number | undefined, address: string): string {
  const [near, far] = [`${name}a`, `${name}b`];
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
  ip('link', 'set', far, 'netns', String(hub));
  within(hub, 'ip', 'link', 'set', far, 'master', 'switch', 'up');
  if (target !== undefined) ip('link', 'set', near, 'netns', String(target));
  const at = (...args: readonly string[]): void => (target === undefined ? ip(...args) : within(target, 'ip', ...args));
  at('addr', 'add', address, 'dev', near);
  at('link', 'set', near, 'up');
  return far;
}

/** Removes the test's own device, if it exists. */
function unplug(name: string): void {
  try {
    ip('link', 'del', `${name}a`);
  } catch {
    // It was never created.
  }
}

function describeHost(name: string, address: string, init: number, link: Host['link']): Host {
  const enter = ['nsenter', '-t', String(init), '-n', '-m', '-p', '-u', '--'];
  return {
    name,
    address,
    init,
    within: enter,
    path: (inside) => `/proc/${init}/root${inside}`,
    run: (program, ...args) => {
      const [first = '', ...rest] = enter;
      return execFileSync(first, [...rest, program, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    },
    start: (program, args, output) => startOnHost(enter, program, args, output),
    link,
  };
}

/** Opens all descriptors of the program on the host: a process with one from elsewhere cannot be frozen. */
async function startOnHost(
  enter: readonly string[],
  program: string,
  args: readonly string[],
  output: string,
): Promise<number> {
  const text = 'output=$1; shift; exec </dev/null >>"$output" 2>&1; setsid "$@" & echo $! >"$output.pid"';
  const [first = '', ...rest] = enter;
  execFileSync(first, [...rest, '/bin/sh', '-c', text, 'start', output, program, ...args], { stdio: 'ignore' });
  return Number.parseInt(
    execFileSync(first, [...rest, 'cat', `${output}.pid`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    10,
  );
}

/** Runs a program in the network namespace of a process. */
function within(pid: number, ...argv: readonly string[]): void {
  execFileSync('nsenter', ['-t', String(pid), '-n', '--', ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function listBlocks(): readonly string[] {
  return [0, 1, 2, 3].map((more) => {
    const at = process.pid * 4 + more;
    return `198.18.${Math.floor(at / 32) % 256}.${(at % 32) * 8}`;
  });
}

/** Whether this machine uses one of a block's addresses. */
function isInUse(block: string): boolean {
  const [, start = '', last = ''] = /^(.*\.)(\d+)$/.exec(block) ?? [];
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return all.some((one) => {
    const number = Number(one.address.slice(start.length));
    return one.address.startsWith(start) && number >= Number(last) && number < Number(last) + 8;
  });
}

function canUnshare(): boolean {
  try {
    const flags = ['-n', '-m', '-p', '-u', '-f', '--mount-proc'];
    execFileSync('unshare', [...flags, 'ip', 'link', 'add', 'switch', 'type', 'bridge'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
