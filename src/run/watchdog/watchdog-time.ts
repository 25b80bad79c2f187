/**
 * The time of guardians, as shell text: they count down what their node gave them, by their own sleeps. On Linux the
 * kernel says when each of these sleeps began, on the clock that counts the machine's sleep (field 22 of
 * /proc/PID/stat, which LXCFS leaves alone); where there is no /proc, `date` says it. Without a reading they are late
 * perhaps, but never early, and never wait for ever.
 */

/**
 * Functions for the guardian of a launcher and for the keeper of a container. All times are in hundredths of a second.
 *
 * - `sure`: what is left by the guardian's own sleeps, which nothing can make too long. At 0 the run is ended.
 * - `left`: the same less what a jump of the readings took away. At 0 before `sure` it is in doubt whether the lease is
 *   over: the run is
 *   held (see `hold`) until the node has answered, or `sure` is over, too.
 * - `nap 200` sleeps so long. A sleep that began up to 3 s late was late (a busy machine); later, the machine slept, or
 *   the guardian
 * was stopped, or its clock jumped: from then on only a deadline counts that names the new `doubt`, for any other may
 * be older.
 * - A nap that a signal cut short counts nothing by itself: the next reading tells.
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
