/* What an ended run left outside of its session, as src/run/processes/left-behind.ts has it: ended, and noted. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor.h"

/* What was killed is waited for this often; one that hangs in the kernel is left then. */
enum { LOOKS = 40, NAMES_MAX = 5 };
static const struct timespec PAUSE = {.tv_nsec = 5000000};

struct ended {
  pid_t pid;
  /* It was still there at the last look. */
  bool is_there;
  char name[32];
};

/* A name may have any bytes, and is shown to people. */
static void read_name(struct ended *one) {
  if (read_small(format("/proc/%d/comm", (int)one->pid), one->name, sizeof one->name) <= 0) strcpy(one->name, "?\n");
  for (char *at = one->name; *at != '\0'; at++) {
    if (*at == '\n' && at[1] == '\0') *at = '\0';
    else if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e) *at = '?';
  }
}

/* Whether real, effective and saved user are its own: a program that changed its user is left alone. */
static bool is_our_user(pid_t pid) {
  char status[2048];
  unsigned real, effective, saved;
  if (read_small(format("/proc/%d/status", (int)pid), status, sizeof status) <= 0) return false;
  const char *line = strstr(status, "\nUid:");
  if (line == NULL || sscanf(line, "\nUid: %u %u %u", &real, &effective, &saved) != 3) return false;
  return real == getuid() && effective == real && saved == real;
}

static bool ends_with(const char *word, const char *end) {
  size_t length = strlen(word), tail = strlen(end);
  return length >= tail && strcmp(word + length - tail, end) == 0;
}

/* Whether a word of the command line is a program of tritmesh: see src/core/processes/own-program.ts. */
static bool is_tritmesh(pid_t pid) {
  static const char *const PROGRAMS[] = {"/tritmesh", "/tritmesh-supervisor", "/dist/src/cli/main.js",
                                         "/dist/bin/tritmesh.js", "/dist/bin/supervisor.cjs"};
  char words[4096];
  ssize_t length = read_small(format("/proc/%d/cmdline", (int)pid), words, sizeof words);
  for (char *word = words; length > 0 && word < words + length; word += strlen(word) + 1) {
    if (strcmp(word, "tritmesh") == 0 || strcmp(word, "tritmesh-supervisor") == 0) return true;
    for (size_t i = 0; i < sizeof PROGRAMS / sizeof *PROGRAMS; i++) {
      if (ends_with(word, PROGRAMS[i])) return true;
    }
  }
  return false;
}

/* Adds to a set of rows, by their places, all children of its members. */
static void add_descendants(const struct table *table, bool *is_in) {
  for (bool has_grown = true; has_grown;) {
    has_grown = false;
    for (int i = 0; i < table->count; i++) {
      for (int j = 0; j < table->count && !is_in[i]; j++) {
        if (is_in[j] && table->rows[j].pid == table->rows[i].parent) is_in[i] = has_grown = true;
      }
    }
  }
}

/* Kills what is left, and adds to `ended` what is new; returns how many there were. */
static int kill_leftovers(const char *mark, pid_t warden, struct ended **ended, int *count) {
  struct table table = read_table();
  bool *is_left = must(calloc((size_t)table.count + 1, sizeof *is_left));
  bool *is_spared = must(calloc((size_t)table.count + 1, sizeof *is_spared));
  int found = 0;
  for (int i = 0; i < *count; i++) (*ended)[i].is_there = false;
  for (int i = 0; i < table.count; i++) {
    const struct process *one = &table.rows[i];
    /* Whoever lost its parent has become a child of this process. */
    is_left[i] = one->parent == getpid() && one->pid != warden && !one->is_zombie && has_variable(one->pid, mark);
  }
  add_descendants(&table, is_left);
  for (int i = 0; i < table.count; i++) is_spared[i] = is_left[i] && is_tritmesh(table.rows[i].pid);
  add_descendants(&table, is_spared);
  for (int i = 0; i < table.count; i++) {
    pid_t pid = table.rows[i].pid;
    if (!is_left[i] || is_spared[i] || table.rows[i].is_zombie || !is_our_user(pid)) continue;
    int known = 0;
    while (known < *count && (*ended)[known].pid != pid) known++;
    if (known == *count) {
      *ended = must(realloc(*ended, sizeof **ended * (size_t)++*count));
      (*ended)[known].pid = pid;
      read_name(&(*ended)[known]);
    }
    (*ended)[known].is_there = true;
    kill(pid, SIGKILL);
    found++;
  }
  free(is_left);
  free(is_spared);
  free(table.rows);
  return found;
}

/* Appends a sentence with the names of those that are there, or of those that are gone; nothing when there are none. */
static void note_ended(const char *directory, const struct ended *ended, int count, bool is_there) {
  char *names = format_copy("%s", "");
  int noted = 0;
  for (int i = 0; i < count; i++) {
    if (ended[i].is_there != is_there || ++noted > NAMES_MAX) continue;
    char *longer = format_copy("%s%s%s (%d)", names, noted == 1 ? "" : ", ", ended[i].name, (int)ended[i].pid);
    free(names);
    names = longer;
  }
  const char *more = noted > NAMES_MAX ? format(", and %d more", noted - NAMES_MAX) : "";
  const char *which = format("%d process%s %s", noted, noted == 1 ? "" : "es", is_there ? "of the job" : "that the job left running");
  if (noted > 0) append_note(directory, format("tritmesh: %s %s: %s%s\n", is_there ? "could not end" : "ended", which, names, more));
  free(names);
}

/* `mark`: the variable that all that the run started has in its environment. */
void end_leftovers(const char *directory, const char *mark, pid_t warden) {
  struct ended *ended = NULL;
  int count = 0;
  char *wanted = format_copy("%s", mark);
  for (int look = 0; look < LOOKS && kill_leftovers(wanted, warden, &ended, &count) > 0; look++) nanosleep(&PAUSE, NULL);
  free(wanted);
  note_ended(directory, ended, count, false);
  note_ended(directory, ended, count, true);
  free(ended);
}
