/* Starts the leader of a run, and the warden. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor.h"

struct run *run_create(const struct start *order) {
  struct run *run = must(calloc(1, sizeof *run));
  run->id = order->id;
  run->slot = -1;
  run->is_plain = order->is_plain;
  run->directory = format_copy("%s", order->directory);
  run->sure_ms = run->left_ms = (double)order->lease_ms;
  run->limit_ms = order->limit_ms < 0 ? 1e18 : (double)order->limit_ms;
  run->seen_number = -1;
  return run;
}

struct run *run_find(struct run *runs, long long id) {
  while (runs != NULL && runs->id != id) runs = runs->next;
  return runs;
}

struct run *run_find_pid(struct run *runs, pid_t pid) {
  while (runs != NULL && runs->pid != pid) runs = runs->next;
  return runs;
}

/* What the child needs, prepared by its parent: it must not allocate. */
struct child {
  const struct start *order;
  const char *work, *output, *errors;
  const char *path;
  struct log *log;
  struct run *run;
  pid_t parent;
  /* Room for a path and for the arguments of a shell. */
  char candidate[PATH_MAX];
  char **shell_argv;
  volatile int error;
  const char *volatile step;
};

static void fail(struct child *child, const char *step, int error) {
  child->step = step;
  child->error = error;
  _exit(127);
}

static void open_as(struct child *child, const char *step, const char *path, int flags, int target) {
  struct stat found;
  /* A pipe that nobody writes to must not block. */
  int fd = open(path, flags | (target == 0 ? O_NONBLOCK : 0), 0666);
  if (fd < 0) fail(child, step, errno);
  if (target == 0 && *child->order->input != '\0' && (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))) fail(child, step, EINVAL);
  if (fd == target) return;
  if (dup2(fd, target) < 0) fail(child, step, errno);
  close(fd);
}

/* Executes a file, by a shell if the kernel does not know how. Returns the error. */
static int execute(struct child *child, const char *path) {
  execve(path, child->order->argv, child->order->environment);
  if (errno != ENOEXEC) return errno;
  child->shell_argv[1] = (char *)path;
  execve("/bin/sh", child->shell_argv, child->order->environment);
  return errno;
}

static int search(struct child *child) {
  const char *name = child->order->argv[0];
  size_t length = strlen(name);
  if (length == 0) return ENOENT;
  if (strchr(name, '/') != NULL) return execute(child, name);
  int error = ENOENT;
  for (const char *from = child->path;; from++) {
    const char *to = strchrnul(from, ':');
    size_t part = (size_t)(to - from);
    if (part + length + 2 <= sizeof child->candidate) {
      memcpy(child->candidate, from, part);
      if (part > 0) child->candidate[part++] = '/';
      memcpy(child->candidate + part, name, length + 1);
      int one = execute(child, child->candidate);
      if (one == EACCES) error = EACCES;
      else if (one != ENOENT && one != ENOTDIR && one != ENODEV && one != ESTALE && one != ETIMEDOUT && one != ELOOP && one != ENAMETOOLONG) return one;
    }
    if (*to == '\0') return error;
    from = to;
  }
}

static void become_leader(struct child *child) {
  sigset_t none;
  setsid();
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    /* Not the wrapper of the C library, which keeps two for itself. */
    if (number != SIGKILL && number != SIGSTOP) sigaction(number, &action, NULL);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  /* CRIU would restore it, and the supervisor there is another one. */
  if (child->order->is_plain) prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/*
 * Runs in the child, in the memory of its parent, which waits. The child writes its own `start` line: were the
 * supervisor killed in between, the warden would read the log only after the end of its pipe, and this child holds it
 * open until it executes its program.
 */
static void run_child(struct child *child) {
  become_leader(child);
  if (chdir(child->work) != 0) fail(child, "cwd", errno);
  const char *input = *child->order->input == '\0' ? "/dev/null" : child->order->input;
  open_as(child, "stdin", input, O_RDONLY, 0);
  open_as(child, "stdout", child->output, O_WRONLY | O_CREAT | (child->order->is_plain ? O_TRUNC : 0), 1);
  open_as(child, "stderr", child->errors, O_WRONLY | O_CREAT | (child->order->is_plain ? O_APPEND : 0), 2);
  char start[64];
  read_start("self", start, sizeof start);
  snprintf(child->run->start_line, sizeof child->run->start_line, "start %lld %d %s .\n", child->run->id, (int)getpid(), start);
  int unlogged = log_append(child->log, child->run->start_line);
  if (unlogged != 0) fail(child, "log", unlogged);
  if (child->order->is_plain && getppid() != child->parent) fail(child, "fork", ESRCH);
  fail(child, "exec", search(child));
}

static const char *find_variable(char **environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment != NULL; environment++) {
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
  }
  return NULL;
}

/* Kept out of the caller, whose variables a child in the same memory must not change. */
__attribute__((noinline)) static pid_t spawn_child(struct child *child) {
  pid_t pid = vfork();
  if (pid == 0) run_child(child);
  return pid;
}

struct launched launch(struct start *order, struct log *log, struct run *run) {
  static struct child child;
  int argc = 0;
  while (order->argv[argc] != NULL) argc++;
  const char *path = find_variable(order->environment, "PATH");
  char *work = format_copy(order->is_plain ? "%s/work" : "%s", order->directory);
  char *output = format_copy(order->is_plain ? "%s/stdout" : "/dev/null", order->directory);
  char *errors = format_copy(order->is_plain ? "%s/stderr" : "/dev/null", order->directory);
  char **shell_argv = must(calloc((size_t)argc + 2, sizeof(char *)));
  shell_argv[0] = "/bin/sh";
  memcpy(shell_argv + 2, order->argv + 1, sizeof(char *) * (size_t)argc);
  child = (struct child){.order = order, .work = work, .output = output, .errors = errors, .log = log, .run = run};
  child.path = path == NULL ? "/bin:/usr/bin" : path;
  child.parent = getpid();
  child.shell_argv = shell_argv;
  pid_t pid = spawn_child(&child);
  int error = pid < 0 ? errno : child.error;
  struct launched launched = {pid, error, pid < 0 ? "fork" : child.step};
  if (launched.error == 0) log_remember(log, run, run->start_line);
  free(work);
  free(output);
  free(errors);
  free(shell_argv);
  return launched;
}

void close_from(int first) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
  for (int fd = first; fd < 65536; fd++) close(fd);
}

static void end_session(pid_t leader, const char *start) {
  char found[64];
  if (read_start(format("%d", (int)leader), found, sizeof found) && strcmp(found, start) != 0) return;
  kill_all(leader);
}

static bool has_line(const char *log, const char *words, long long id) {
  char *wanted = format_copy("\n%s %lld ", words, id);
  bool has = strstr(log, wanted) != NULL;
  free(wanted);
  return has;
}

static void end_marked(const char *self, long long id) {
  char *wanted = format_copy("TRITMESH_RUN_MARK=%s.%lld", self, id);
  struct table table = read_table();
  for (int i = 0; i < table.count; i++) {
    if (has_variable(table.rows[i].pid, wanted)) kill_all(table.rows[i].session);
  }
  free(table.rows);
  free(wanted);
}

/* Ends the sessions of all runs in a log that have a start and no end. */
static void end_runs(const char *log) {
  char self[128] = "", start[64] = "";
  int owner;
  long long id;
  int pid;
  if (sscanf(log, "supervisor 1 %*s %d %63s", &owner, start) == 2) snprintf(self, sizeof self, "%d.%s", owner, start);
  for (const char *line = log; line != NULL && *line != '\0' && *line != '\n'; line = strchr(line, '\n'), line += line != NULL) {
    if (sscanf(line, "begin %lld", &id) == 1 && !has_line(log, "start", id) && !has_line(log, "fail", id)) end_marked(self, id);
    if (sscanf(line, "start %lld %d %63s", &id, &pid, start) != 3) continue;
    if (has_line(log, "end", id) || has_line(log, "fail", id)) continue;
    end_session(pid, start);
  }
}

static char *read_whole(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat found;
  if (fd < 0 || fstat(fd, &found) != 0) return NULL;
  char *text = must(calloc(1, (size_t)found.st_size + 1));
  ssize_t bytes = read(fd, text, (size_t)found.st_size);
  close(fd);
  if (bytes < 0) text[0] = '\0';
  return text;
}

/* Starts a process that waits until the supervisor is gone and then ends its runs. Only the supervisor holds its pipe. */
pid_t warden_start(const struct log *log) {
  static int pipe_end = -1;
  int ends[2];
  if (pipe_end >= 0) close(pipe_end);
  pipe_end = -1;
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  pid_t pid = fork();
  if (pid != 0) {
    close(ends[0]);
    pipe_end = ends[1];
    return pid;
  }
  char word;
  setsid();
  dup2(ends[0], 0);
  close_from(1);
  prctl(PR_SET_NAME, "tritmesh-warden");
  while (read(0, &word, 1) != 0) continue;
  for (int round = 0; round < ROUNDS; round++) {
    char *text = read_whole(log->path);
    if (text != NULL) end_runs(text);
    free(text);
  }
  _exit(0);
}
