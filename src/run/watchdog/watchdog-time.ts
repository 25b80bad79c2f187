/**
 * How watchdogs measure time, as shell text: they count down the time that the node granted by their own sleeps. On
 * Linux the kernel's record of when each sleep began is used, on the clock that includes suspended time (field 22 of
 * /proc/PID/stat, which LXCFS does not alter); without /proc, `date`. If there is no reading they may be late, but
 * are never early and never wait forever.
 */

/**
 * Shell functions for the launcher's watchdog and for the container watchdog. All times are in hundredths of a
 * second.
 *
 * - `sure`: the remaining time by the watchdog's own sleeps, which nothing can lengthen. At 0 the run is ended.
 * - `left`: the same, minus time lost to jumps of the readings. If it reaches 0 before `sure`, the lease may be over:
 *   the run is held (see `hold`) until the node has answered or `sure` has run out.
 * - `nap 200` sleeps for that long. A sleep that began up to 3 s late was just late (a busy machine). Beyond that the
 *   machine was suspended, the watchdog was stopped or its clock jumped: from then on only a deadline that names the
 *   new `doubt` counts, because any other may be older.
 * - A nap cut short by a signal counts as nothing; the next reading accounts for its time.
 */
export const WATCHDOG_TIME = `
doubt=0 seen= expected= held=

read_deadline() {
  { read -r number given answered again <deadline; } 2>/dev/null || return 0
  case $given in '' | *[!0-9]*) return 0 ;; esac
  [ "$number" = "$again" ] && [ "$number" != "$seen" ] && [ "$answered" = $doubt ] || return 0
  seen=$number sure=$given left=$given
}

nap() {
  sleep $(($1 / 100)).$(($1 / 10 % 10))$(($1 % 10)) &
  slept=$1
  count_late
  [ $left -gt 0 ] && [ -n "$held" ] && release
  [ $left -gt 0 ] || hold
  wait $!
  case $? in
    0) ;;
    129 | 1[3-9]? | 2??) kill $!; slept=0 ;;
    *) sleep 1 & wait $!; [ $slept -le 100 ] || slept=100 ;;
  esac
  sure=$((sure - slept)) left=$((left - slept)) limit=$((limit - slept))
  [ -z "$expected" ] || expected=$((expected + slept))
}

count_late() {
  reading=
  if [ -e /proc/self/stat ]; then
    { read -r line </proc/$!/stat && set -- \${line##*) } && reading=\${20}; } 2>/dev/null
  else
    reading=$(date +%s)00
  fi
  case $reading in '' | *[!0-9]*) return 0 ;; esac
  late=$((reading - \${expected:-$reading}))
  [ -n "$expected" ] || expected=$reading
  [ $late -lt -100 ] || [ $late -gt 100 ] || return 0
  expected=$reading
  [ $late -gt 0 ] || return 0
  left=$((left - late))
  if [ $late -le 300 ]; then
    sure=$((sure - late)) limit=$((limit - late))
  elif { echo $((doubt + 1)); } 1<>doubt; then
    doubt=$((doubt + 1))
  fi
}
`;
