/**
 * The box: a pid and mount namespace in which a run lives that can be frozen. Its init is a shell of ours that is no
 * part of any image: it is made anew on each machine, starts the command or restores it, and writes the exit code. With
 * the init everything in the box ends, whatever state it is in: the kernel sees to that.
 */
import { readPidsWithin } from '../../os/proc-files.js';
import { listDescendants, tryReadProcessTable } from '../processes/process-table.js';

/** How the command of a box came into it. */
export type NamespaceKind = 'started' | 'restored';

/** What a node must know of a box that an earlier life made. JSON, in the order of the run. */
export interface NamespaceHead {
  readonly kind: NamespaceKind;
  /** The command, as the box counts pids. */
  readonly root: number;
  /** The path under which the command knows the directory of its run. */
  readonly knownAs: string | null;
  /** What it used on the machines before. */
  readonly cpuS: number;
  readonly wallMs: number;
}

/** What a restored command needs beside that. */
export interface NamespaceRestore {
  readonly binds: readonly { readonly source: string; readonly target: string }[];
  readonly freePid: number;
}

/** Files of a run in a box, beside the launcher's. */
export const NAMESPACE_FILES = {
  /** The copy is whole and stopped. */
  restored: 'restored',
  /** It was continued, or is about to be. */
  thawed: 'thawed',
} as const;

/** The command's pid in its box: helpers take lower ones, so that none is in the way where it is restored. */
export const FIRST_PID = 1000;

/**
 * The text for `sh -c`, as init of the new namespaces, in the directory of the run. All that is open in the box must
 * have been opened in it: criu knows no other mounts. The variables come from the order.
 *
 * - A command is run in the foreground, as in the launcher; its session is its own, for criu takes no session apart.
 * - Of a copy, the keeper is the parent. It never reaps, so the exit code is read where the kernel keeps that of a
 * zombie: the
 *   52nd field of its stat. The init must not be the parent: a shell reaps every child and forgets what it does not
 * know.
 * - The init looks each second, and at once on SIGUSR1. As long as the copy is being made it looks more often.
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

/** The processes of a box, as this machine counts pids. */
export interface NamespacePlace {
  readonly init: number;
  /** The command; `undefined` when it is not there yet, or any more. */
  readonly root: number | undefined;
  /** All but the init. */
  readonly members: readonly number[];
}

/** Finds the box of a launcher; `undefined` when it is not there yet, or any more. */
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
