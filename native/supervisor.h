/* What the parts of the supervisor share. Times are milliseconds of CLOCK_MONOTONIC. */
#ifndef TRITMESH_SUPERVISOR_H
#define TRITMESH_SUPERVISOR_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Looks for members of a session this many times, so that nothing forks away. */
enum { ROUNDS = 3 };

struct run {
  struct run *next;
  long long id;
  int slot;
  bool is_plain;
  char *directory;
  /* 0 once it has ended, or when it never started. */
  pid_t pid;
  double started_ms;
  /* See docs/internals/supervisor.md, Leases and time. */
  double sure_ms, left_ms, limit_ms;
  long long seen_number;
  bool is_ending;
  bool is_over;
  /* What was stopped because the lease is in doubt. */
  pid_t *held;
  int held_count, held_room;
  /* Its line in the log, which the child itself writes. */
  char start_line[160];
  /* All its lines, for a log that is written anew. */
  char *lines;
};

/* A request to start a run; its texts lie in the frame. limit_ms is -1 for none. */
struct start {
  long long id, lease_ms, limit_ms;
  bool is_plain;
  const char *directory, *input;
  char **argv;
  char **environment;
};

struct launched {
  pid_t pid;
  /* 0 when it was started; else what failed. */
  int error;
  const char *step;
};

struct log {
  char *path, *draft;
  char *first;
  int fd;
  long written, room;
};

struct fields {
  char **at;
  int count;
};

struct lease {
  long long number, left_ms, doubt, id;
};

struct process {
  pid_t pid, parent, session;
  bool is_zombie, is_stopped;
};

struct table {
  struct process *rows;
  int count;
};

/* text.c */
const char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
char *format_copy(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
const char *format_count(long long number);
const char *name_error(int error);
bool parse_count(const char *text, long long *value);
bool fields_split(struct fields *fields, char *payload, long length);
bool start_parse(struct start *order, const struct fields *fields);
void *must(void *memory);

/* log.c */
int log_create(struct log *log, const char *directory, const char *first);
int log_append(struct log *log, const char *text);
int log_reserve(struct log *log, long bytes);
void log_remember(struct log *log, struct run *run, const char *text);
void log_replace(struct log *log, struct run **runs, long long doubt);
bool slots_open(const char *directory);
int slot_take(long long id);
void slot_free(int slot);
bool slot_read(int slot, struct lease *lease);
void standard_close(int number);
void output_open(void);
void output_report(const char *text);
void output_flush(void);
int output_pending(void);
void append_note(const char *directory, const char *text);

/* launch.c */
struct run *run_create(const struct start *order);
struct run *run_find(struct run *runs, long long id);
struct run *run_find_pid(struct run *runs, pid_t pid);
struct launched launch(struct start *order, struct log *log, struct run *run);
pid_t warden_start(const struct log *log);
void close_from(int first);

/* processes.c */
double now_ms(void);
double boot_ms(void);
bool read_start(const char *pid, char *text, size_t size);
ssize_t read_small(const char *path, char *text, size_t size);
struct table read_table(void);
void kill_all(pid_t leader);
void hold_all(struct run *run);
bool has_variable(pid_t pid, const char *wanted);

/* leftovers.c */
void end_leftovers(const char *directory, const char *mark, pid_t warden);

#endif
