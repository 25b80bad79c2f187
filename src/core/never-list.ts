/**
 * The processes that are never throttled and never moved, whatever a rule says: what the machine, its people or this mesh
 * could not do without. Pure.
 */
import type { ProcessFacts } from './process-facts.js';

/** What the list is read with. */
export interface NeverFacts {
  /** This node's own process. */
  readonly self: number;
  /** Port of the configured broker. */
  readonly brokerPort: number;
  readonly processes: ReadonlyMap<number, ProcessFacts>;
  /** Whether a process belongs to a run that tritmesh started. */
  belongsToRun(pid: number): boolean;
}

const KTHREADD = 2;
const LOGIN_NAMES: ReadonlySet<string> = new Set([
  'sshd',
  'sshd-session',
  'sshd-auth',
  'dropbear',
  'login',
  'agetty',
  'getty',
  'init',
  'launchd',
  'systemd',
  '(sd-pam)',
  'systemd-logind',
  'loginwindow',
]);
/** Parents of login sessions; systemd is none: it starts each service as the leader of a session. */
const LOGIN_PARENTS: ReadonlySet<string> = new Set([
  'sshd',
  'sshd-session',
  'dropbear',
  'login',
  'systemd-logind',
  'gdm-session-wor',
  'sddm-helper',
  'lightdm',
]);
/** Brokers that a mesh may run on. */
const BROKER_NAMES: ReadonlySet<string> = new Set(['mosquitto', 'nanomq', 'emqx', 'beam.smp', 'rumqttd', 'vernemq']);

/** Why a process must never be touched; `undefined` when nothing stands against it. */
export function findUntouchable(process: ProcessFacts, facts: NeverFacts): string | undefined {
  const { pid, ppid, name } = process;
  if (pid === 1) return 'pid 1 is never touched';
  if (process.kernelThread === true || (pid === KTHREADD && ppid === 0)) return 'it is a kernel thread';
  return (
    findMeshRole(process, facts) ??
    (LOGIN_NAMES.has(name) ? `${name} lets people in` : undefined) ??
    (BROKER_NAMES.has(name) || process.ports?.includes(facts.brokerPort) === true ? 'it is a broker' : undefined) ??
    findLoginRole(process, facts)
  );
}

function findMeshRole(process: ProcessFacts, facts: NeverFacts): string | undefined {
  const { self, processes } = facts;
  if (process.pid === self) return 'it is tritmesh itself';
  const me = processes.get(self);
  if (me !== undefined && listAncestors(me, processes).has(process.pid)) return 'tritmesh runs below it';
  if (facts.belongsToRun(process.pid)) return undefined;
  if (isTritmesh(process)) return 'it is a tritmesh process';
  return listAncestors(process, processes).has(self) ? 'it belongs to tritmesh itself' : undefined;
}

/** A node, a broker or a command of tritmesh: `tritmesh …`, `node …/tritmesh …`, `node …/dist/src/cli/main.js …`. */
function isTritmesh({ name, command = [] }: ProcessFacts): boolean {
  if (name === 'tritmesh') return true;
  return command.slice(0, 2).some((word) => /(^|\/)tritmesh$|\/dist\/src\/cli\/main\.js$/.test(word));
}

/** Leaders of sessions at a terminal, and of those that a login made: who logs in must be able to act. */
function findLoginRole(process: ProcessFacts, { processes }: NeverFacts): string | undefined {
  const { pid, ppid, session, terminal = false } = process;
  const parent = processes.get(ppid);
  // Where sessions are not told, the first process at a terminal is the one whose parent has none.
  const leads = session === undefined ? terminal && parent?.terminal !== true : session === pid;
  if (!leads) return undefined;
  if (terminal) return 'it leads the session of a terminal';
  return LOGIN_PARENTS.has(parent?.name ?? '') ? 'it leads a login session' : undefined;
}

function listAncestors(process: ProcessFacts, processes: ReadonlyMap<number, ProcessFacts>): ReadonlySet<number> {
  const found = new Set<number>();
  for (let { ppid } = process; ppid > 0 && !found.has(ppid); ppid = processes.get(ppid)?.ppid ?? 0) found.add(ppid);
  return found;
}
