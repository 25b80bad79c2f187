/**
 * Protected processes, which are never throttled and never moved, whatever a rule says: the machine, its users or this
 * mesh depend on them.
 */
import { isTritmeshProgram } from './own-program.js';
import type { ProcessFacts } from './process-facts.js';

/** What protection depends on. */
export interface ProtectionContext {
  /** This node's own process. */
  readonly self: number;
  /** TCP port of the configured broker. */
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
/** Parents of login sessions. Not systemd, which starts each service as a session leader. */
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
/** Process names of MQTT brokers. */
const BROKER_NAMES: ReadonlySet<string> = new Set(['mosquitto', 'nanomq', 'emqx', 'beam.smp', 'rumqttd', 'vernemq']);

/** Why a process is protected; `undefined` if it is not. */
export function findProtected(process: ProcessFacts, facts: ProtectionContext): string | undefined {
  const { pid, ppid, name } = process;
  if (pid === 1) return 'pid 1 is never touched';
  if (process.kernelThread === true || (pid === KTHREADD && ppid === 0)) return 'it is a kernel thread';
  return (
    findMeshRole(process, facts) ??
    (LOGIN_NAMES.has(name) ? `${name} handles logins` : undefined) ??
    (BROKER_NAMES.has(name) || process.ports?.includes(facts.brokerPort) === true ? 'it is a broker' : undefined) ??
    findLoginRole(process, facts)
  );
}

function findMeshRole(process: ProcessFacts, facts: ProtectionContext): string | undefined {
  const { self, processes } = facts;
  if (process.pid === self) return 'it is tritmesh itself';
  const me = processes.get(self);
  if (me !== undefined && listAncestors(me, processes).has(process.pid)) return 'tritmesh runs below it';
  if (facts.belongsToRun(process.pid)) return undefined;
  if (isTritmesh(process)) return 'it is a tritmesh process';
  return listAncestors(process, processes).has(self) ? 'it belongs to tritmesh itself' : undefined;
}

/** Whether it runs tritmesh, by itself or with `node`. */
function isTritmesh({ name, command = [] }: ProcessFacts): boolean {
  if (name === 'tritmesh') return true;
  return command.slice(0, 2).some(isTritmeshProgram);
}

/** Session leaders at a terminal and of login sessions: people who log in must be able to act. */
function findLoginRole(process: ProcessFacts, { processes }: ProtectionContext): string | undefined {
  const { pid, ppid, session, terminal = false } = process;
  const parent = processes.get(ppid);
  // If sessions are unknown, the leader is the process with a terminal whose parent has none.
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
