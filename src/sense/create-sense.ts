/**
 * Creates the senses of a node for a metric: picks how this system is sampled and how the ratio is computed. It keeps
 * no samples and does nothing until subscribed.
 */
import { availableParallelism } from 'node:os';
import { arch, platform } from 'node:process';
import { defer, filter, from, map, of, switchMap, type Observable } from 'rxjs';
import type { Clock } from '../clock/clock.js';
import { createCgroupRatio } from './cgroup-ratio.js';
import { createCommandRatio } from './command-ratio.js';
import { createLinuxMachine } from './linux-machine.js';
import { createLinuxProcesses } from './linux-processes.js';
import { createEwmaRatio, createLoadAverageRatio } from './load-ratio.js';
import type { LoadRatio, SampleMachine, SampleProcesses, MachineSample, RatioOf } from './machine.js';
import type { Metric } from './metric.js';
import { createDiskReader } from '../os/disk-space.js';
import { createOtherMachine } from './other-machine.js';
import { createOtherProcesses } from './other-processes.js';
import { readKernelUnits, type KernelUnits } from './process-scan.js';
import { selectTree } from './process-tree.js';
import { repeatSample, type SampleTimes } from './repeat-look.js';
import type { LoadSample, Sense } from './sense.js';
import { createListedTreeRatio, createTreeRatio } from './tree-ratio.js';

/** How to sense. Each optional setting names its default. */
export interface SenseOptions {
  readonly metric: Metric;
  readonly clock: Clock;
  /** Number of CPUs that the load refers to. Default: those available to this process, or those of the cgroup quota. */
  readonly cpus?: number | undefined;
  /** Directory whose file system's free space is sampled; without it disk space is not sensed. */
  readonly diskPath?: string | undefined;
  /** Interval between load samples, ms. Default: {@link LOAD_MS}. */
  readonly loadMs?: number | undefined;
  /**
   * Interval between process samples, ms. Default: {@link PROCESSES_MS}, or {@link OTHER_PROCESSES_MS} without /proc.
   */
  readonly processesMs?: number | undefined;
  /** Time limit of the command of `command:CMD`, ms. Default: {@link COMMAND_MS}. */
  readonly commandMs?: number | undefined;
  /** Whether to read /proc or to use systeminformation. Default: as this platform requires. */
  readonly system?: 'linux' | 'other' | undefined;
  /** The proc file system. Default: `/proc`. */
  readonly procDir?: string | undefined;
  /** Prefix of all cgroup mount points. Default: `/`. */
  readonly rootDir?: string | undefined;
}

/** Default interval between load samples, ms. */
export const LOAD_MS = 2_000;
/** Default interval between process samples, ms: 12 scans of 85 processes a minute cost 0.04 s of CPU time. */
export const PROCESSES_MS = 5_000;
/** Default interval between process samples where systeminformation starts `ps` for each of them, ms. */
export const OTHER_PROCESSES_MS = 30_000;
/** Default time limit of `command:CMD`, ms. */
export const COMMAND_MS = 10_000;

const LINUX_SECOND_MS = 500;
/** systeminformation returns its first, wrong answer again if asked within 500 ms after that one. */
const OTHER_SECOND_MS = 3_000;

/** Creates the senses of this machine; each observable starts sampling when subscribed. */
export function createSense(options: SenseOptions): Sense {
  const { clock } = options;
  const isLinux = (options.system ?? (platform === 'linux' ? 'linux' : 'other')) === 'linux';
  const place: Place = {
    isLinux,
    cpus: options.cpus ?? availableParallelism(),
    procDir: options.procDir ?? '/proc',
    rootDir: options.rootDir ?? '/',
  };
  const every = (everyMs: number): SampleTimes => ({ everyMs, secondMs: isLinux ? LINUX_SECOND_MS : OTHER_SECOND_MS });
  const processesMs = options.processesMs ?? (isLinux ? PROCESSES_MS : OTHER_PROCESSES_MS);
  return {
    load$: defer(() =>
      repeatSample(
        clock,
        every(options.loadMs ?? LOAD_MS),
        joinLooks(createMachine(place), createRatio(options, place)),
      ),
    ),
    processes$: defer(() => repeatSample(clock, every(processesMs), createProcesses(options, place))),
    disk$: options.diskPath === undefined ? undefined : senseDisk(clock, options.diskPath),
  };
}

/** Interval between samples of the free disk space, ms: a disk can fill up within seconds. */
const DISK_MS = 2_000;

function senseDisk(clock: Clock, path: string): Sense['disk$'] {
  return defer(() => {
    const read = createDiskReader(path);
    return repeatSample(clock, { everyMs: DISK_MS, secondMs: DISK_MS }, () => from(read()));
  });
}

interface Place {
  readonly isLinux: boolean;
  readonly cpus: number;
  readonly procDir: string;
  readonly rootDir: string;
}

function createMachine(place: Place): SampleMachine {
  return place.isLinux ? createLinuxMachine(place.procDir, place.cpus) : createOtherMachine(place.cpus);
}

function createRatio({ metric, clock, cpus, commandMs }: SenseOptions, place: Place): RatioOf {
  switch (metric.kind) {
    case 'ewma':
      return createEwmaRatio();
    case 'loadavg1':
      return createLoadAverageRatio();
    case 'cgroup':
      return createCgroupRatio(place, cpus);
    case 'tree':
      return place.isLinux
        ? createTreeRatio(place.procDir, readUnits(place), metric)
        : createListedTreeRatio(listOthers(clock, place), metric);
    case 'command':
      return createCommandRatio(metric.command, commandMs ?? COMMAND_MS, clock.scheduler);
    case 'fixed':
      return (look) => of({ ratio: metric.ratio, cpus: look.cpus });
  }
}

/** With the `tree` metric only its processes are sensed, so several nodes on one machine each see their own. */
function createProcesses({ metric, clock }: SenseOptions, place: Place): SampleProcesses {
  const look = place.isLinux ? createLinuxProcesses(place.procDir, readUnits(place)) : listOthers(clock, place);
  if (metric.kind !== 'tree') return look;
  return (now) => look(now).pipe(map((all) => selectTree(all, metric.pid)));
}

function listOthers(clock: Clock, place: Place): SampleProcesses {
  return createOtherProcesses(place.cpus, () => clock.wall());
}

function readUnits(place: Place): KernelUnits {
  return readKernelUnits(place.procDir, arch === 'arm' || arch === 'ia32' ? 4 : 8);
}

/** Samples the machine, then the ratio. Emits nothing while either of them needs a second sample. */
function joinLooks(lookAt: SampleMachine, ratioOf: RatioOf): (now: number) => Observable<LoadSample> {
  return (now) =>
    lookAt(now).pipe(
      switchMap((look) => ratioOf(look).pipe(map((load) => describeLoad(look, load)))),
      filter((sample) => sample !== undefined),
    );
}

function describeLoad(look: MachineSample, { ratio, cpus }: LoadRatio): LoadSample | undefined {
  const { cpuPercent, memoryPercent, memoryBytes, psiPercent } = look;
  if (cpuPercent === undefined) return undefined;
  return {
    ratio,
    cpus,
    cpuPercent,
    memoryPercent,
    memoryBytes,
    ...(psiPercent === undefined ? {} : { psiPercent }),
  };
}
