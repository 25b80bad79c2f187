/*
 * The supervisor of a node as a C program, for Linux. What it does is described in docs/internals/supervisor.md, and
 * test/conformance/supervisor.ts holds it to that. Beyond the Node.js program it is the reaper of what jobs leave
 * behind, reads the clock that counts sleep, and starts a job without copying its own memory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor.h"

enum { LATE_STATUS = 3, NEAR_MS = 2000, NEAR_LOOK_MS = 200, LOOK_MS = 1000 };
/* Room in the log that a start wants, that a refusal leaves, and that is kept for each live run. */
enum { ROOM_BYTES = 4096, KEPT_BYTES = 1024, RUN_ROOM_BYTES = 256, LOG_BYTES_LIMIT = 256 * 1024 };
#define FRAME_BYTES_LIMIT (4L * 1024 * 1024)

static const int IGNORED[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};

static struct run *runs;
static long long doubt;
static bool orphan;
static double last_ms;
static double boot_lead_ms;
static pid_t warden;
static struct log logfile;
static long log_limit = LOG_BYTES_LIMIT;
static char mark[128];

static void look(void);

/* The log comes first: what is reported must be found by a later boot. */
static void write_line(struct run *run, const char *text) {
  log_append(&logfile, text);
  log_remember(&logfile, run, text);
  output_report(text);
}

static int count_live(void) {
  int live = 0;
  for (struct run *run = runs; run != NULL; run = run->next) live += run->pid > 0;
  return live;
}

static void fail_run(struct run *run, const char *step, int error) {
  run->is_over = true;
  slot_free(run->slot);
  write_line(run, format("fail %lld %s %s .\n", run->id, step, name_error(error)));
}

/* It was not begun. However often that is said, it takes no room of the ends of others. */
static void refuse_run(struct run *run, int error) {
  const char *text = format("fail %lld log %s .\n", run->id, name_error(error));
  run->is_over = true;
  slot_free(run->slot);
  if (log_reserve(&logfile, KEPT_BYTES + RUN_ROOM_BYTES * count_live()) == 0) log_append(&logfile, text);
  output_report(text);
}

static void start_run(struct start *order) {
  look();
  /* Twice what was needed the last time: with many kept runs it must not be replaced at each start. */
  if (logfile.written > log_limit && !orphan) {
    log_replace(&logfile, &runs, doubt);
    log_limit = 2 * logfile.written > LOG_BYTES_LIMIT ? 2 * logfile.written : LOG_BYTES_LIMIT;
  }
  struct run *run = run_create(order);
  run->next = runs;
  runs = run;
  int room = log_reserve(&logfile, ROOM_BYTES + RUN_ROOM_BYTES * (count_live() + 1) + 2 * (long)strlen(order->directory));
  run->slot = slot_take(order->id);
  if (room != 0 || run->slot < 0) return refuse_run(run, room != 0 ? room : errno);
  const char *limit = order->limit_ms < 0 ? "-" : format_count(order->limit_ms);
  const char *begin = format("begin %lld %d %lld %s %s %s .\n", run->id, run->slot, (long long)now_ms(), limit,
                             order->is_plain ? "plain" : "namespace", order->directory);
  int unlogged = log_append(&logfile, begin);
  if (unlogged != 0) return refuse_run(run, unlogged);
  log_remember(&logfile, run, begin);
  struct launched launched = launch(order, &logfile, run);
  if (launched.error != 0) return fail_run(run, launched.step, launched.error);
  run->pid = launched.pid;
  run->started_ms = now_ms();
  output_report(run->start_line);
}

static void end_run(struct run *run) {
  struct rusage usage;
  int status;
  /* Before it is reaped, so that the number of its group cannot belong to another one. */
  kill(-run->pid, SIGKILL);
  if (orphan) kill_all(run->pid);
  if (wait4(run->pid, &status, 0, &usage) != run->pid) return;
  run->pid = 0;
  run->is_over = true;
  slot_free(run->slot);
  if (orphan) end_leftovers(run->directory, format("TRITMESH_RUN_MARK=%s.%lld", mark, run->id), warden);
  int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  int code = number > 0 ? 128 + number : WEXITSTATUS(status);
  long long cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000LL +
                     (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  long long ran_ms = (long long)(now_ms() - run->started_ms);
  write_line(run, format("end %lld %d %d %lld %lld .\n", run->id, code, number, cpu_ms, ran_ms));
}

static void reap(void) {
  siginfo_t info;
  for (;;) {
    info.si_pid = 0;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    struct run *run = run_find_pid(runs, info.si_pid);
    if (run != NULL) {
      end_run(run);
      continue;
    }
    waitpid(info.si_pid, NULL, 0);
    if (info.si_pid == warden) warden = warden_start(&logfile);
  }
}

static void release(struct run *run) {
  struct stat found;
  if (stat(format("%s/image", run->directory), &found) == 0) return;
  for (int i = 0; i < run->held_count; i++) kill(run->held[i], SIGCONT);
  run->held_count = 0;
}

static void stop_run(struct run *run, const char *reason) {
  run->is_ending = true;
  write_line(run, format("stop %lld %s .\n", run->id, reason));
  append_note(run->directory, format("tritmesh: %s\n", reason));
  kill_all(run->pid);
}

static void act(struct run *run) {
  if (run->pid <= 0 || run->is_ending) return;
  if (run->limit_ms <= 0) stop_run(run, "watchdog: wall-clock limit");
  else if (run->sure_ms <= 0) stop_run(run, "watchdog: lease ended");
  else if (run->left_ms <= 0) hold_all(run);
  else if (run->held_count > 0) release(run);
}

static void grant(struct run *run, double left_ms) {
  if (left_ms > run->sure_ms) run->sure_ms = left_ms;
  if (left_ms > run->left_ms) run->left_ms = left_ms;
}

static void read_lease(struct run *run) {
  struct lease lease;
  if (!slot_read(run->slot, &lease) || lease.id != run->id || lease.number == run->seen_number) return;
  run->seen_number = lease.number;
  if (lease.doubt == doubt) grant(run, lease.left_ms);
}

static double take_slept(void) {
  double gained = boot_ms() - now_ms() - boot_lead_ms;
  if (gained <= 1000) return 0;
  boot_lead_ms += gained;
  return gained;
}

/* Counts the time since the last look, and does what is due. */
static void look(void) {
  double now = now_ms();
  double slept = take_slept();
  if (slept > 0 && count_live() > 0) {
    doubt++;
    write_line(NULL, format("doubt %lld .\n", doubt));
  }
  for (struct run *run = runs; run != NULL; run = run->next) {
    run->sure_ms -= now - last_ms;
    run->left_ms -= now - last_ms + slept;
    run->limit_ms -= now - last_ms;
  }
  last_ms = now;
  /* It could not be started before, or not again. */
  if (warden <= 0) warden = warden_start(&logfile);
  for (struct run *run = runs; run != NULL; run = run->next) {
    if (orphan && run->pid > 0) read_lease(run);
    act(run);
  }
}

static int next_look(void) {
  double due = -1;
  bool is_near = false;
  for (struct run *run = runs; run != NULL; run = run->next) {
    if (run->pid <= 0 || run->is_ending) continue;
    double one = run->limit_ms < run->sure_ms ? run->limit_ms : run->sure_ms;
    if (run->left_ms > 0 && run->left_ms < one) one = run->left_ms;
    if (due < 0 || one < due) due = one < 0 ? 0 : one;
    is_near = is_near || run->held_count > 0;
  }
  if (due < 0) return -1;
  int longest = is_near || due < NEAR_MS ? NEAR_LOOK_MS : LOOK_MS;
  return due + 1 < longest ? (int)due + 1 : longest;
}

static void extend(long long id, long long left_ms, long long answered) {
  look();
  struct run *run = run_find(runs, id);
  if (run == NULL || answered != doubt) return;
  grant(run, (double)left_ms);
  act(run);
}

static bool handle_frame(char *payload, long length) {
  struct fields fields;
  if (!fields_split(&fields, payload, length)) return false;
  bool is_known = false;
  if (fields.count == 4 && strcmp(fields.at[0], "lease") == 0) {
    long long id, left, number;
    is_known = parse_count(fields.at[1], &id) && parse_count(fields.at[2], &left) && parse_count(fields.at[3], &number);
    if (is_known) extend(id, left, number);
  } else if (fields.count > 0 && strcmp(fields.at[0], "start") == 0) {
    struct start order;
    is_known = start_parse(&order, &fields);
    if (is_known) start_run(&order);
  }
  free(fields.at);
  return is_known;
}

static char *input;
static long input_length, input_room;

/* Handles the frames that have come in whole; false when one cannot be read. */
static bool handle_input(void) {
  long at = 0;
  bool is_whole = true;
  while (at < input_length) {
    char *end = memchr(input + at, '\n', (size_t)(input_length - at));
    long digits = (end == NULL ? input + input_length : end) - (input + at);
    long long length = 0;
    if (digits > 7 || (digits == 0 && end != NULL)) return false;
    for (long i = 0; i < digits; i++) {
      if (input[at + i] < '0' || input[at + i] > '9') return false;
      length = length * 10 + (input[at + i] - '0');
    }
    if (end == NULL) break;
    if (length > FRAME_BYTES_LIMIT) return false;
    if (input_length - (at + digits + 1) < length) break;
    is_whole = handle_frame(input + at + digits + 1, (long)length);
    at += digits + 1 + (long)length;
    if (!is_whole) break;
  }
  memmove(input, input + at, (size_t)(input_length - at));
  input_length -= at;
  return is_whole;
}

static void become_orphan(void) {
  if (orphan) return;
  orphan = true;
  standard_close(0);
  write_line(NULL, "orphan .\n");
  look();
}

static void read_input(void) {
  if (input_room - input_length < 65536) input = must(realloc(input, (size_t)(input_room += 65536)));
  ssize_t bytes = read(0, input + input_length, (size_t)(input_room - input_length));
  if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (bytes <= 0) return become_orphan();
  input_length += bytes;
  if (!handle_input()) become_orphan();
}

static int ignore_signals(void) {
  sigset_t children;
  for (size_t i = 0; i < sizeof IGNORED / sizeof *IGNORED; i++) signal(IGNORED[i], SIG_IGN);
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_SETMASK, &children, NULL);
  return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void serve(int children) {
  while (!orphan || count_live() > 0) {
    struct pollfd polled[3] = {{children, POLLIN, 0}, {orphan ? -1 : 0, POLLIN, 0}, {output_pending(), POLLOUT, 0}};
    if (poll(polled, 3, next_look()) < 0 && errno != EINTR) continue;
    struct signalfd_siginfo said;
    if (polled[0].revents != 0) {
      while (read(children, &said, sizeof said) > 0) continue;
      reap();
    }
    if (polled[2].revents != 0) output_flush();
    if (polled[1].revents != 0) read_input();
    else look();
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  close_from(3);
  umask(umask(0));
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  int children = ignore_signals();
  char start[64];
  read_start("self", start, sizeof start);
  snprintf(mark, sizeof mark, "%d.%s", (int)getpid(), start);
  const char *first = format_copy("supervisor 1 native %d %s .\n", (int)getpid(), start);
  int fault = log_create(&logfile, argv[1], first);
  if (fault == EEXIST) return LATE_STATUS;
  if (fault != 0 || !slots_open(argv[1]) || children < 0) return 1;
  last_ms = now_ms();
  boot_lead_ms = boot_ms() - last_ms;
  warden = warden_start(&logfile);
  output_open();
  output_report(first);
  serve(children);
  /* Nothing is left to guard. It is waited for, since init does not do that where it is a node. */
  if (warden > 0) {
    kill(warden, SIGKILL);
    waitpid(warden, NULL, 0);
  }
  return 0;
}
