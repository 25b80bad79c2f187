/**
 * The container watchdog: a POSIX shell program that runs next to a container copy for as long as that exists. It
 * alone starts the copy, ends it when its deadline has passed, whatever became of the node, and writes the exit code.
 * It must never leave a copy running that it does not watch.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { tryReadText } from '../../os/try-read.js';
import { nameSignal } from '../directory/exit-file.js';
import { WATCHDOG_TIME } from '../watchdog/watchdog-time.js';
import type { RunHandle } from '../runner.js';

/** Files of a watchdog in its run directory, besides `deadline` and `doubt` (see launcher.ts). */
export const WATCHDOG_FILES = {
  /** Pid and start time of the watchdog; created exclusively, by the watchdog or by a node that forbids its start. */
  began: 'keeper',
  /** Created by the node: the copy may run. */
  thawed: 'thawed',
  /** The copy is running, or has been. */
  restored: 'restored',
  /** Why podman could not restore the copy, of which nothing is left. */
  unthawed: 'unthawed',
  /** Created by the node: the container is frozen, or about to be, so its stop is not its end. */
  still: 'still',
  /** Why the watchdog removed the copy. */
  ended: 'ended',
  exit: 'exit',
} as const;

/**
 * Program text for `sh -c`; arguments: the run directory, the container id, the name of the export file in the
 * directory. It checks ten times a second while waiting, twice a second while the copy runs, and at once on SIGUSR1;
 * SIGTERM tells it to remove the copy.
 *
 * - It waits for podman and never kills it at work; it kills the processes in the container's cgroup instead, so that
 *   a hanging restore fails.
 * - A container that already has the id is not ours, and is left alone.
 * - While its deadline is in doubt (see watchdog-time.ts) it starts nothing and stops the processes of a running
 *   copy, except those that were stopped already; while the container is frozen on purpose it stops none.
 */
export const CONTAINER_WATCHDOG: string = `
trap : HUP INT QUIT USR1 USR2
trap 'reason=stopped' TERM
cd "$1" || exit 1
id=$2 file=$3 reason= restore= restored=
exec </dev/null >/dev/null 2>>keeper.log
read -r line </proc/$$/stat || exit 1
set -- \${line##*) }
ticks=\${20}
read -r boot </proc/sys/kernel/random/boot_id || exit 1
set -C
echo "$$ $ticks@\${boot%%-*}" >keeper || exit 1
set +C

limit=0 sure=1000 left=1000
${WATCHDOG_TIME}
say() { echo "$2" >"$1.new" && mv "$1.new" "$1"; }

is_over() {
  [ -z "$reason" ] || return 0
  read_deadline
  [ $sure -le 0 ] || return 1
  reason='watchdog: lease ended'
}

signal_members() {
  for groups in /proc/[0-9]*/cgroup; do
    while read -r line; do
      case $line in
        */libpod-$id | */libpod-$id/* | */libpod-$id.scope*)
          pid=\${groups#/proc/}
          signal_member $1 \${pid%/cgroup}
          break ;;
      esac
    done <"$groups"
  done 2>/dev/null
}

signal_member() {
  if [ $1 = STOP ]; then
    read -r line <"/proc/$2/stat" || return 0
    case \${line##*) } in [TtZX]*) return 0 ;; esac
    held="$held $2"
  fi
  kill -$1 $2
}

hold() { [ -z "$restored" ] || [ -e still ] || signal_members STOP; }

release() {
  [ ! -e still ] || return 0
  kill -CONT $held
  held=
}

remove() {
  look
  [ "$state" = false ] || signal_members KILL
  while :; do
    podman container rm -f -t 0 "$id" && return
    podman container exists "$id"
    [ $? -ne 1 ] || return
    nap 100
  done
}

end_copy() {
  trap '' TERM
  while [ -n "$restore" ] && [ ! -e restore.code ] && kill -0 $restore; do signal_members KILL; nap 10; done
  remove
  say ended "$reason"
  exit 0
}

look() {
  set -- $(timeout 30 podman container inspect -f '{{.State.Running}} {{.State.Pid}} {{.State.ExitCode}}' "$id")
  state=\${1:-unknown} root=\${2:-0} code=\${3:-255}
  if [ "$state" = true ]; then
    { read -r line <"/proc/$root/stat"; } 2>/dev/null
    set -- \${line##*) }
    born=\${20}
  elif [ "$state" = unknown ]; then
    podman container exists "$id"
    [ $? -ne 1 ] || state=absent
  fi
}

is_alive() {
  { read -r line <"/proc/$root/stat"; } 2>/dev/null || return 1
  set -- \${line##*) }
  [ "$1" != Z ] && [ "\${20}" = "$born" ]
}

while [ ! -e thawed ] || [ $left -le 0 ]; do
  ! is_over || { say ended "$reason"; exit 0; }
  nap 10
done
! is_over || { say ended "$reason"; exit 0; }
podman container exists "$id"
[ $? -eq 1 ] || { say unthawed 'podman has a container with its id here already'; exit 0; }
(podman container restore --file-locks --import "$file" >restore.log 2>&1; echo $? >restore.code) &
restore=$!
while [ ! -e restore.code ] && kill -0 $restore; do
  ! is_over || end_copy
  nap 10
done
read -r failed <restore.code || failed=1
restore=
look
if [ "$failed" != 0 ] || [ "$state" = absent ]; then
  remove
  read -r why <<END
$(sed -n 's/^Error: //p' restore.log)
END
  say unthawed "podman: \${why:-it did not say why}"
  exit 0
fi
say restored "$root"
restored=1
while :; do
  ! is_over || end_copy
  if is_alive; then nap 50; continue; fi
  if [ ! -e still ]; then
    look
    # It may have been frozen meanwhile.
    if [ ! -e still ]; then
      [ "$state" != false ] || { { echo $code; echo end; } 1<>exit; exit 0; }
      [ "$state" != absent ] || { say ended 'somebody removed its container'; exit 0; }
    fi
  fi
  nap 10
done
`;

/** What the watchdog of a copy has reported so far. */
export interface WatchdogReport {
  /** The watchdog's process; `undefined` before it began. */
  readonly handle: RunHandle | undefined;
  readonly isThawed: boolean;
  readonly isRestored: boolean;
  readonly unthawed: string | undefined;
  readonly ended: string | undefined;
  readonly exit: { readonly exitCode: number; readonly signal: string | null } | undefined;
}

/** Starts a watchdog, which outlives this process; its progress is known only through its files. */
export function startContainerWatchdog(
  directory: string,
  id: string,
  exportFile: string,
  environment: Readonly<Record<string, string>>,
): void {
  const options = { env: environment, stdio: 'ignore', detached: true, cleanup: false, reject: false } as const;
  // A node that shuts down does not wait for it.
  execa('/bin/sh', ['-c', CONTAINER_WATCHDOG, 'tritmesh-watchdog', directory, id, exportFile], options).unref();
}

/** Reads a watchdog's report; missing or unreadable files count as not written. */
export function readWatchdogReport(directory: string): WatchdogReport {
  const read = (name: string): string | undefined => tryReadText(join(directory, name));
  const [, pid, start] = /^(\d+) (\S+)\n$/.exec(read(WATCHDOG_FILES.began) ?? '') ?? [];
  const [, code] = /^(\d{1,3})\nend\n/.exec(read(WATCHDOG_FILES.exit) ?? '') ?? [];
  return {
    handle: pid === undefined || start === undefined ? undefined : { pid: Number(pid), start },
    isThawed: existsSync(join(directory, WATCHDOG_FILES.thawed)),
    isRestored: existsSync(join(directory, WATCHDOG_FILES.restored)),
    unthawed: read(WATCHDOG_FILES.unthawed)?.trim(),
    ended: read(WATCHDOG_FILES.ended)?.trim(),
    exit: code === undefined ? undefined : { exitCode: Number(code), signal: nameSignal(Number(code)) },
  };
}

/** Prevents a watchdog from ever starting; false when one came first. */
export function forbidContainerStart(directory: string): boolean {
  try {
    writeFileSync(join(directory, WATCHDOG_FILES.began), 'forbidden\n', { flag: 'wx' });
    return true;
  } catch {
    return tryReadText(join(directory, WATCHDOG_FILES.began)) === 'forbidden\n';
  }
}

/** Sets or clears the mark that the container is frozen on purpose. Throws the file system's errors. */
export function markFrozen(directory: string, isStill: boolean): void {
  const file = join(directory, WATCHDOG_FILES.still);
  if (isStill) writeFileSync(file, '');
  else rmSync(file, { force: true });
}

/** Whether the container is marked as frozen, or about to be. */
export function isMarkedFrozen(directory: string): boolean {
  return existsSync(join(directory, WATCHDOG_FILES.still));
}
