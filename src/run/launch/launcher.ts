/**
 * The launcher: a POSIX shell program between the node and a command. It leads the command's session and process
 * group and contains its watchdog. It must work in dash and in the bash 3.2 of macOS, and needs only `sleep` (plus
 * `date` where there is no /proc). It must never depend on a live node: they communicate through files of the run
 * alone.
 */
import { WATCHDOG_TIME } from '../watchdog/watchdog-time.js';
import type { RunHandle } from '../runner.js';

/** A launcher waiting for its order. */
export interface Launcher {
  readonly handle: RunHandle;
  /** Starts it in the directory of a run, which must contain the launch script. */
  go(directory: string): void;
  /**
   * Calls `done` once it has ended, with the signal that ended it; or `lost` when the process that would report its
   * end is gone, while the launcher may still be running.
   */
  onEnd(done: (signal: string | null) => void, lost: () => void): void;
  /** Ends it without an order. */
  dismiss(): void;
}

/** Files in a run directory, besides `work/`, `stdout` and `stderr`. */
export const RUN_FILES = {
  /** What to run, written by the node as shell text; its head is read again after a crash (see launch-script.ts). */
  order: 'order',
  /** Created exclusively: by the launcher before the command can start, or by an adopting node to forbid that. */
  started: 'started',
  /** Remaining time of the run: white space until the node extends the time in `order` (see deadline.ts). */
  deadline: 'deadline',
  /**
   * A number, written over white space: the watchdog does not know how much time has passed, and a deadline must name
   * the number to count.
   */
  doubt: 'doubt',
  /** Exit code, the four times of `times`, and the word `end`, written over white space, which works on a full disk. */
  exit: 'exit',
  /** Why the watchdog ended the run. */
  ended: 'ended',
} as const;

/**
 * Program text for `sh -c`. One line on stdin, the absolute run directory, starts it; end of stdin ends it instead,
 * so a waiting launcher goes away with its node.
 *
 * - The command runs in the foreground of the shell: in the background it would start with SIGINT and SIGQUIT
 *   ignored.
 * - The traps keep shell and watchdog alive when the group is signalled, so that the exit code is still written;
 *   children get the default action back.
 * - SIGALRM tells the watchdog to exit. It reaps its `sleep` and is itself reaped, so no zombies are left on a
 *   machine whose pid 1 does not reap. The launcher itself must not trap SIGALRM: a freshly forked watchdog would
 *   lose the signal to the inherited handler.
 * - The last line kills what the command left in the group, and the launcher itself, in one call that no fork can
 *   escape. The exit code is in the file `exit`; the launcher's own status means nothing.
 * - A run that can be frozen lives in a pid namespace (see pid-namespace.ts), whose init writes the exit code.
 * - GNU `timeout` and shells with job control create process groups; on Linux the watchdog therefore kills the whole
 *   session. It sleeps 2 s at most, so that it soon notices that the machine was suspended.
 * - In doubt (see watchdog-time.ts) it stops everything the command started (not the init of a pid namespace), and
 *   later continues only what it stopped: processes stopped before were stopped by criu, a throttle or the command
 *   itself. While there is an image it continues none, because the thaw continues all.
 */
export const LAUNCHER: string = `
trap : HUP INT QUIT TERM USR1 USR2
IFS= read -r directory || exit 0
exec </dev/null
cd "$directory" || exit 1
. ./order || exit 1
set -C
echo $$ >started || exit 1
set +C

${WATCHDOG_TIME}
end_run() {
  trap '' HUP INT QUIT TERM USR1 USR2 ALRM
  echo "$1" >ended
  echo "tritmesh: $1" >>stderr
  read -r self rest </proc/self/stat && for round in 1 2 3; do
    for stat in /proc/[0-9]*/stat; do
      read -r line <"$stat" || continue
      set -- \${line##*) }
      pid=\${line%% *}
      [ "$4" = $$ ] && [ "$pid" != "$self" ] && [ "$pid" != $$ ] && kill -KILL "$pid"
    done
  done
  kill -KILL 0
}

hold() {
  { read -r self rest </proc/self/stat; } 2>/dev/null || { [ $sure -lt 1000 ] || sure=1000; return 0; }
  tree=" $$ " grown=1
  while [ -n "$grown" ]; do
    grown=
    for stat in /proc/[0-9]*/stat; do
      { read -r line <"$stat"; } 2>/dev/null || continue
      set -- \${line%% *} \${line##*) }
      case $tree in *" $1 "*) continue ;; esac
      [ "$5" = $$ ] || case $tree in *" $3 "*) ;; *) continue ;; esac
      [ "$1" != "$self" ] && [ "$3" != "$self" ] || continue
      tree="$tree$1 " grown=1
      [ -z "$box" ] || [ "$5" != $$ ] || continue
      case $2 in [TtZX]) ;; *) kill -STOP "$1" && held="$held $1" ;; esac
    done
  done
}

release() {
  [ ! -e image ] || return 0
  kill -CONT $held
  held=
}

guard() {
  trap : HUP INT QUIT TERM USR1 USR2
  trap 'kill -KILL $!; wait; exit 0' ALRM
  sure=$lease left=$lease
  while :; do
    read_deadline
    [ $limit -gt 0 ] || end_run 'watchdog: wall-clock limit'
    [ $sure -gt 0 ] || end_run 'watchdog: lease ended'
    due=200
    for other in $limit $sure $left; do
      [ $other -le 0 ] || [ $other -ge $due ] || due=$other
    done
    nap $due
  done
}
guard &
guard=$!

if [ -n "$fault" ]; then
  : >stdout
  printf '%s\\n' "$fault" >>stderr
  code=$fault_code
elif [ -n "$box" ]; then
  unshare -m -p -f --mount-proc /bin/sh -c "$box" tritmesh-box
  kill -ALRM $guard
  wait
  kill -KILL 0
else
  (cd work && unset OLDPWD && begin "$@") <"$input" >stdout 2>>stderr
  code=$?
fi
{ echo $code; times; echo end; } 1<>exit
kill -ALRM $guard
wait
kill -KILL 0
`;
