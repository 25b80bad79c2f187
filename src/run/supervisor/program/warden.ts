/**
 * The warden: a shell that waits until the supervisor is gone and then ends what it left. It must need nothing of the
 * supervisor but the end of a pipe and the log.
 */
import { spawn } from 'node:child_process';

/**
 * Program text for `sh -c`; argument: the path of the log. Signals are ignored, so that `read` ends only when the pipe
 * does. Where there is no /proc, groups are ended in place of sessions.
 *
 * - `end_session PID START`: all members, and none if the leader is a process that started at another time. A name
 *   with a line end in it hides a process from the look at /proc, but not from the signal to the group.
 * - A run that has only a `begin` may have a process whose start the supervisor did not live to log; it is found by the
 *   mark in its environment.
 */
export const WARDEN = `
trap '' HUP INT QUIT TERM USR1 USR2 PIPE
while IFS= read -r word; do :; done

end_session() {
  pid=$1 start=$2
  if [ -n "$start" ] && { read -r line <"/proc/$pid/stat"; } 2>/dev/null; then
    set -- \${line##*) }
    [ "\${20}" = "\${start%%@*}" ] || return 0
  fi
  kill -KILL -- "-$pid"
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } || continue
    set -- \${line##*) }
    [ "$4" != "$pid" ] || kill -KILL "\${line%% *}"
  done
}

end_marked() {
  mark=$1
  for place in /proc/[0-9]*; do
    case "|$(tr '\\0' '|' <"$place/environ")|" in
      *"|TRITMESH_RUN_MARK=$mark|"*) ;;
      *) continue ;;
    esac
    read -r line <"$place/stat" || continue
    set -- \${line##*) }
    end_session "$4" ''
  done
}

log=$1
for round in 1 2 3; do
  self= begun= started= live= ended=' '
  while IFS= read -r line && [ -n "$line" ]; do
    case $line in *' .') line=\${line% .} ;; *) continue ;; esac
    set -f
    set -- $line
    set +f
    case $1 in
      supervisor) self=$4.$5 ;;
      begin) begun="$begun $2" ;;
      start) live="$live $2:$3:$4" started="$started $2 " ;;
      fail | end) ended="$ended$2 " ;;
    esac
  done <"$log"
  for one in $live; do
    id=\${one%%:*} rest=\${one#*:}
    case $ended in *" $id "*) ;; *) end_session "\${rest%%:*}" "\${rest#*:}" ;; esac
  done
  for id in $begun; do
    case "$ended$started" in *" $id "*) ;; *) end_marked "$self.$id" ;; esac
  done
done
` as string;

/**
 * Starts a warden and another one whenever it ends. The pipe to it is held by this process alone: no other process
 * inherits it, and nothing is written to it.
 */
export function keepWarden(log: string, isEnding: () => boolean): void {
  const warden = spawn('/bin/sh', ['-c', WARDEN, 'tritmesh-warden', log], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  warden.stdin.on('error', () => undefined);
  let isOver = false;
  const again = (): void => {
    if (isOver || isEnding()) return;
    isOver = true;
    // Where it cannot be started, as when the machine has no processes left, a pause keeps this from spinning.
    setTimeout(() => keepWarden(log, isEnding), RESTART_MS);
  };
  warden.on('exit', again).on('error', again);
}

const RESTART_MS = 20;
