/**
 * A machine of podman's, as far as a test needs two of them: a storage of its own below a directory, with the same image in each. It
 * removes all its containers in the end, and says which there were.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createContainers } from '../../src/container/create-containers.js';
import type { Containers } from '../../src/container/containers.js';
import { findContainer } from '../../src/container/members.js';
import { CHECKPOINT, CAPABILITIES } from '../support/criu.js';
import { requirement } from '../support/requirements.js';

/** One machine. */
export interface PodmanHost {
  readonly containers: Containers;
  /** What a process needs in its environment to be on this machine. */
  readonly variables: Readonly<Record<string, string>>;
  /** Runs podman; gives what it printed. Throws when it fails. */
  podman(...args: readonly string[]): string;
  /** Starts a container that counts, on lines of its log; gives its full id and its first process. */
  count(name: string, ...options: readonly string[]): { readonly id: string; readonly pid: number };
  /** What it counted up to now; asked of podman. */
  counted(name: string): readonly number[];
  /** Waits until it has counted so far. */
  awaitCount(name: string, least: number): Promise<void>;
  /** Gives it the image that another one has. */
  addImageOf(other: PodmanHost): void;
  clear(): void;
}

/** It counts twenty times a second, has a child most of the time, and ends with 5 when it is told to. */
const COUNT = `trap 'exit 5' USR1; i=0; while :; do echo $i; i=$((i + 1)); sleep 0.05; done`;

/** The image that every machine has: a shell, and `sleep`. */
export const IMAGE: string = 'localhost/tritmesh-count:1';

/** True where tests can move containers; said or thrown otherwise, as test/support/requirements.ts has it. */
export const canMoveContainers: boolean = requirement(
  'podman 4, runc, criu 4.2 and root',
  CAPABILITIES.usable && hasPodman(),
  'apt-get install --no-install-recommends podman runc; .ci/install-criu /opt/criu; as root',
);

/** Makes a machine in a directory of its own; `like`: one that has the image already. */
export function createPodmanHost(root: string, like?: PodmanHost): PodmanHost {
  mkdirSync(root, { recursive: true });
  const variables = writeSettings(root);
  const env = { ...process.env, ...variables, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/opt/criu` };
  const podman = (...args: readonly string[]): string =>
    execFileSync('podman', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const counted = (name: string): readonly number[] => podman('logs', name).trimEnd().split('\n').map(Number);
  addImage(root, podman, like);

  return {
    containers: createContainers(CHECKPOINT, variables),
    variables,
    podman,
    count: (name, ...options) => {
      const id = podman('run', '-d', '--name', name, ...options, IMAGE, '/bin/sh', '-c', COUNT).trim();
      return { id, pid: Number(podman('container', 'inspect', '-f', '{{.State.Pid}}', id)) };
    },
    counted,
    awaitCount: async (name, least) => {
      while ((counted(name).at(-1) ?? 0) < least) await new Promise((resolve) => setImmediate(resolve));
    },
    addImageOf: (other) => addImage(root, podman, other),
    clear: () => {
      podman('rm', '-f', '-a', '-t', '0');
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The start of a process, as an item names it. */
export function readStartTicks(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[19] ?? '';
}

/** Whether any process of a container lives. */
export function isContainerAlive(id: string): boolean {
  return execFileSync('ls', ['/proc'], { encoding: 'utf8' })
    .split('\n')
    .some((pid) => /^\d+$/.test(pid) && findContainer(Number(pid)) === id);
}

function hasPodman(): boolean {
  try {
    const version = execFileSync('podman', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    execFileSync('runc', ['checkpoint', '--help'], { stdio: 'ignore' });
    return Number.parseInt(version.replace(/^\D+/, ''), 10) >= 4;
  } catch {
    return false;
  }
}

/** Limits are set low, for a machine that may not raise them; nothing is given a network. */
function writeSettings(root: string): Readonly<Record<string, string>> {
  const [storage, settings] = [join(root, 'storage.conf'), join(root, 'containers.conf')];
  const [graph, run] = [join(root, 'storage'), join(root, 'run')];
  writeFileSync(storage, `[storage]\ndriver = "vfs"\ngraphroot = "${graph}"\nrunroot = "${run}"\n`);
  const limits = 'default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]';
  const engine = `cgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\ntmp_dir = "${run}/libpod"`;
  writeFileSync(
    settings,
    `[containers]\n${limits}\nnetns = "none"\nseccomp_profile = "unconfined"\n[engine]\n${engine}\n`,
  );
  return { CONTAINERS_STORAGE_CONF: storage, CONTAINERS_CONF: settings };
}

/** The very same image on each machine: its id counts. */
function addImage(root: string, podman: PodmanHost['podman'], like: PodmanHost | undefined): void {
  const file = join(root, 'image.tar');
  if (like === undefined) {
    const tree = plantTree(join(root, 'tree'));
    execFileSync('tar', ['-C', tree, '-cf', file, '.']);
    podman('import', file, IMAGE);
  } else {
    like.podman('save', '-q', '-o', file, IMAGE);
    podman('load', '-q', '-i', file);
  }
  rmSync(file);
}

/** A shell and `sleep` of this machine, with what they are linked to. */
function plantTree(tree: string): string {
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp', 'usr/lib', 'usr/lib64'])
    mkdirSync(join(tree, name), { recursive: true });
  symlinkSync('usr/lib', join(tree, 'lib'));
  symlinkSync('usr/lib64', join(tree, 'lib64'));
  for (const program of ['/bin/sh', '/bin/sleep']) {
    copyFileSync(program, join(tree, 'bin', program.slice('/bin/'.length)));
    for (const [library = ''] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/\/\S+/g)) {
      const place = library.startsWith('/usr/') ? library : `/usr${library}`;
      mkdirSync(dirname(join(tree, place)), { recursive: true });
      copyFileSync(library, join(tree, place));
    }
  }
  return tree;
}
