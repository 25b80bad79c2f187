/* Clocks, and the processes of a run as /proc shows them. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor.h"

static double read_clock(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec * 1000 + (double)time.tv_nsec / 1e6;
}

double now_ms(void) { return read_clock(CLOCK_MONOTONIC); }

#ifdef TRITMESH_TEST_CLOCK
/* For tests only: the machine is said to have slept for as many milliseconds as a file says. */
double boot_ms(void) {
  double slept = 0;
  const char *path = getenv("TRITMESH_TEST_SLEPT");
  FILE *file = path == NULL ? NULL : fopen(path, "re");
  if (file != NULL) {
    if (fscanf(file, "%lf", &slept) != 1) slept = 0;
    fclose(file);
  }
  return now_ms() + slept;
}
#else
double boot_ms(void) { return read_clock(CLOCK_BOOTTIME); }
#endif

/* Reads a small file; returns its length, or -1. */
ssize_t read_small(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t bytes = read(fd, text, size - 1);
  close(fd);
  if (bytes >= 0) text[bytes] = '\0';
  return bytes;
}

static const char *boot_id(void) {
  static char id[9];
  if (id[0] == '\0' && read_small("/proc/sys/kernel/random/boot_id", id, sizeof id) < 8) id[0] = '\0';
  return id;
}

/* Writes `TICKS@BOOT`; false when there is no such process. It allocates nothing. */
bool read_start(const char *pid, char *text, size_t size) {
  char path[64], stat[1024];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  if (read_small(path, stat, sizeof stat) <= 0) {
    snprintf(text, size, "gone@");
    return false;
  }
  const char *at = strrchr(stat, ')');
  /* From the third field to the 22nd. */
  for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  long long ticks = 0;
  if (at == NULL || sscanf(at, " %lld", &ticks) != 1) return false;
  snprintf(text, size, "%lld@%s", ticks, boot_id());
  return true;
}

struct table read_table(void) {
  struct table table = {NULL, 0};
  int room = 0;
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
    char path[300], stat[1024], state;
    int parent, group, session;
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    if (read_small(path, stat, sizeof stat) <= 0) continue;
    const char *at = strrchr(stat, ')');
    if (at == NULL || sscanf(at, ") %c %d %d %d", &state, &parent, &group, &session) != 4) continue;
    if (table.count == room) table.rows = must(realloc(table.rows, sizeof *table.rows * (size_t)(room = room * 2 + 256)));
    table.rows[table.count++] =
        (struct process){atoi(entry->d_name), parent, session, state == 'Z' || state == 'X', state == 'T'};
  }
  if (proc != NULL) closedir(proc);
  return table;
}

void kill_all(pid_t leader) {
  if (leader <= 1 || leader == getsid(0)) return;
  for (int round = 0; round < ROUNDS; round++) {
    struct table table = read_table();
    for (int i = 0; i < table.count; i++) {
      if (table.rows[i].session == leader) kill(table.rows[i].pid, SIGKILL);
    }
    free(table.rows);
    kill(-leader, SIGKILL);
  }
}

static bool is_held(const struct run *run, pid_t pid) {
  for (int i = 0; i < run->held_count; i++) {
    if (run->held[i] == pid) return true;
  }
  return false;
}

static void hold(struct run *run, const struct process *one) {
  /* What criu, a throttle or the command itself stopped is theirs to continue. */
  if (one->is_zombie || one->is_stopped || is_held(run, one->pid)) return;
  if (!run->is_plain && one->session == run->pid) return;
  kill(one->pid, SIGSTOP);
  if (run->held_count == run->held_room) run->held = must(realloc(run->held, sizeof(pid_t) * (size_t)(run->held_room += 16)));
  run->held[run->held_count++] = one->pid;
}

/* Stops the session of a run and all descendants. */
void hold_all(struct run *run) {
  for (int round = 0; round < ROUNDS; round++) {
    struct table table = read_table();
    bool *below = must(calloc((size_t)table.count + 1, sizeof *below));
    for (bool has_grown = true; has_grown;) {
      has_grown = false;
      for (int i = 0; i < table.count; i++) {
        struct process *one = &table.rows[i];
        if (below[i]) continue;
        bool is_member = one->session == run->pid || one->pid == run->pid;
        for (int j = 0; j < table.count && !is_member; j++) is_member = below[j] && table.rows[j].pid == one->parent;
        below[i] = is_member;
        has_grown = has_grown || is_member;
      }
    }
    for (int i = 0; i < table.count; i++) {
      if (below[i]) hold(run, &table.rows[i]);
    }
    free(below);
    free(table.rows);
  }
}

/* Whether the environment of a process has exactly this variable with this value. */
bool has_variable(pid_t pid, const char *wanted) {
  int fd = open(format("/proc/%d/environ", (int)pid), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t length = 0, room = 65536;
  char *text = must(malloc(room + 1));
  for (ssize_t bytes; (bytes = read(fd, text + length, room - length)) > 0;) {
    length += (size_t)bytes;
    if (length == room) text = must(realloc(text, (room *= 2) + 1));
  }
  close(fd);
  text[length] = '\0';
  bool has = false;
  for (size_t at = 0; at < length && !has; at += strlen(text + at) + 1) has = strcmp(text + at, wanted) == 0;
  free(text);
  return has;
}
