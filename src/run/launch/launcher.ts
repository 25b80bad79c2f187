/**
 * The launcher: the POSIX shell program that stands between the node and a command, leads its session and process
 * group, and holds its guardian. It must work in dash and in the bash 3.2 of macOS, and needs only `sleep` (and `date`
 * where there is no /proc). It never trusts the node to be alive: all it says and hears is in files of the run.
 */
import { WATCHDOG_TIME } from '../watchdog/watchdog-time.js';
import type { RunHandle } from '../runner.js';

/** A launcher that waits for its order. */
export interface Launcher {
  readonly handle: RunHandle;
  /** Sets it off in the directory of a run, whose order must be there. */
  go(directory: string): void;
  /**
   * Calls `done` once it has ended, with the signal that ended it; or `lost` when whoever would hear of its end is
   * gone, and it may go on.
   */
  onEnd(done: (signal: string | null) => void, lost: () => void): void;
  /** Lets it go without an order. */
  dismiss(): void;
}

/** Files in the directory of a run, beside `work/`, `stdout` and `stderr`. */
export const RUN_FILES = {
  /** What to run, written by the node as shell text; its head is read again after a crash (see order.ts). */
  order: 'order',
  /**
   * Made, exclusively, by the launcher before the command can start; by an adopting node to forbid that it ever does.
   */
  started: 'started',
  /** How long the run still has: white space until the node extends the order's own (see deadline.ts). */
  deadline: 'deadline',
  /**
   * A number, written over white space: the guardian does not know how much time passed. A deadline must name it then.
   */
  doubt: 'doubt',
  /**
   * Exit code, the four times of `times`, and the word `end`, written over white space: there is room for it on a full
   * disk.
   */
  exit: 'exit',
  /** Why the guardian ended the run. */
  ended: 'ended',
} as const;

/**
 * The text for `sh -c`. One line on stdin, the absolute directory of the run, sets it off; the end of stdin instead
 * ends it, so a launcher that waits for an order goes with its node.
 *
 * - The command runs in the foreground of the shell: a background one would start with SIGINT and SIGQUIT ignored.
 * - The traps keep shell and guardian alive when the group gets a signal, so that the exit code is still written;
 *   children get the default action back.
 * - SIGALRM tells the guardian to go. It reaps its `sleep` and is reaped, so a machine whose pid 1 reaps nothing keeps
 *   no zombies. The launcher itself must not trap SIGALRM: a guardian that was just forked would lose the signal in
 *   the inherited handler.
 * - The last line ends what the command left behind in the group, and the launcher itself: one call, nothing can fork
 *   away from it. The file `exit` is the truth about the exit code, not the launcher's own status.
 * - A run that can be frozen lives in a box (see box.ts), which writes the exit code itself.
 * - GNU `timeout` and shells with job control make process groups of their own; on Linux the guardian therefore ends
 *   the whole session. It sleeps 2 s at most, so that it sees at once that the machine slept.
 * - In doubt (see guard-text.ts) it stops all that the command started, its box left out, and continues that and
 *   nothing else: what
 *   is stopped already is criu's, a throttle's or the command's own. While there is an image, its thaw continues all.
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
    [ $limit -gt 0 ] || end_run 'guardian: wall-clock limit'
    [ $sure -gt 0 ] || end_run 'guardian: lease ended'
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
