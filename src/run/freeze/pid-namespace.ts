/**
 * The pid and mount namespace that a freezable run lives in. Its init is a shell of ours that is not part of any
 * image: each machine starts a fresh one, which starts or restores the command and writes the exit code. When the
 * init ends, the kernel kills everything in the namespace, whatever its state.
 */
import { readPidsWithin } from '../../os/proc-files.js';
import { listDescendants, tryReadProcessTable } from '../processes/process-table.js';

/** How the command got into its namespace. */
export type NamespaceKind = 'started' | 'restored';

/** What a node must know about a namespace that an earlier node process created. JSON, stored in the launch script. */
export interface NamespaceHead {
  readonly kind: NamespaceKind;
  /** Pid of the command inside the namespace. */
  readonly root: number;
  /** The path by which the command knows its run directory. */
  readonly knownAs: string | null;
  /** CPU and wall-clock time used on earlier machines. */
  readonly cpuS: number;
  readonly wallMs: number;
}

/** Additional data for restoring a command. */
export interface NamespaceRestore {
  readonly binds: readonly { readonly source: string; readonly target: string }[];
  readonly freePid: number;
}

/** Files of a run in a namespace, in addition to the launcher's. */
export const NAMESPACE_FILES = {
  /** The copy is complete and stopped. */
  restored: 'restored',
  /** The copy was continued, or is about to be. */
  thawed: 'thawed',
} as const;

/**
 * The command's pid in its namespace. Helper processes get lower ones, so this pid is free where the command is
 * restored.
 */
export const FIRST_PID = 1000;

/**
 * Program text for `sh -c`, run as init of the new namespaces in the run directory. Every file open inside must be
 * opened inside: criu does not know other mounts. Variables come from the launch script.
 *
 * - A command runs in the foreground, as in the launcher, but in its own session: criu cannot dump part of a session.
 * - The parent of a copy is a shell that only waits (see create-checkpoint.ts). It never reaps, so the exit code is
 *   read where the kernel keeps a zombie's: field 52 of its stat. The init must not be the parent: a shell reaps every
 *   child and discards the status of those it does not know.
 * - The init checks once a second, and at once on SIGUSR1; more often while the copy is being restored.
 */
export const NAMESPACE_INIT: string = `
exec </dev/null >/dev/null 2>>stderr
trap : USR1
. ./order || exit 1
setsid=$(command -v setsid) || exit 1

write_exit() {
  code=$((\${50} >> 8))
  [ $((\${50} & 127)) -eq 0 ] || code=$((128 + (\${50} & 127)))
  ticks=$((\${12} + \${13} + \${14} + \${15}))
  { echo $code; echo 0m0s 0m0s; echo 0m$((ticks / 100)).$((ticks / 10 % 10))$((ticks % 10))s 0m0s; echo end; } 1<>exit
}

if [ "$kind" = started ]; then
  echo $((root - 1)) >/proc/sys/kernel/ns_last_pid || exit 1
  (cd work && unset OLDPWD && begin "$setsid" "$@") <"$input" >stdout 2>>stderr
  code=$?
  { echo $code; times; echo end; } 1<>exit
  exit 0
fi

mount_binds || exit 1
echo $free_pid >/proc/sys/kernel/ns_last_pid || exit 1
"$setsid" "$@" 2>/dev/null &
keeper=$!
pause=0.1
while :; do
  sleep $pause &
  wait $!
  if [ -e restored ]; then
    pause=1
    read -r line <"/proc/$root/stat" || exit 1
    set -- \${line##*) }
    [ "$1" != Z ] || { write_exit "$@"; exit 0; }
  else
    kill -0 $keeper 2>/dev/null || exit 1
  fi
done
`;

/** The processes of a namespace, with their pids on the host. */
export interface NamespacePlace {
  readonly init: number;
  /** The command; `undefined` before it exists or once it is gone. */
  readonly root: number | undefined;
  /** All processes except the init. */
  readonly members: readonly number[];
}

/**
 * Finds the namespace below a launcher, given the command's pid inside; `undefined` before it exists or once it is
 * gone.
 */
export function findNamespace(launcher: number, root: number): NamespacePlace | undefined {
  const below = listDescendants(launcher, tryReadProcessTable()).filter((row) => !row.zombie);
  const depth = readPidsWithin(launcher).length;
  const isInit = (pid: number): boolean => {
    const pids = readPidsWithin(pid);
    return pids.length === depth + 1 && pids.at(-1) === 1;
  };
  const init = below.find(({ pid }) => isInit(pid))?.pid;
  if (init === undefined) return undefined;
  const members = listDescendants(init, below).map(({ pid }) => pid);
  return { init, root: members.find((pid) => readPidsWithin(pid).at(-1) === root), members };
}
