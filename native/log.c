/* The files of the supervisor, which are written in place over bytes reserved ahead, and its reports to the node. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor.h"

enum { PIECE_BYTES = 16 * 1024, SLOT_BYTES = 64 };
#ifdef TRITMESH_TEST_CLOCK
/* A test would need half a minute to reach the other one. */
enum { UNREAD_BYTES_LIMIT = 64 * 1024 };
#else
enum { UNREAD_BYTES_LIMIT = 1024 * 1024 };
#endif

/* Writes all bytes at an offset; returns 0 or the error. */
static int write_at(int fd, const char *bytes, size_t length, long at) {
  while (length > 0) {
    ssize_t done = pwrite(fd, bytes, length, at);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return done < 0 ? errno : ENOSPC;
    bytes += done;
    length -= (size_t)done;
    at += done;
  }
  return 0;
}

/* Fills a file with line ends; what could be written only in part is cut off again. */
static int fill(int fd, long from, long bytes) {
  char *blank = must(malloc((size_t)bytes));
  memset(blank, '\n', (size_t)bytes);
  int error = write_at(fd, blank, (size_t)bytes, from);
  free(blank);
  if (error != 0 && ftruncate(fd, from) != 0) return error;
  return error;
}

static int open_draft(struct log *log, const char *text, long room) {
  long written = (long)strlen(text);
  int fd = open(log->draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  int error = write_at(fd, text, (size_t)written, 0);
  long bytes = room - written > PIECE_BYTES ? room - written : PIECE_BYTES;
  if (error == 0) error = fill(fd, written, bytes);
  if (error != 0) {
    close(fd);
    unlink(log->draft);
    return error;
  }
  log->fd = fd;
  log->written = written;
  log->room = written + bytes;
  return 0;
}

int log_create(struct log *log, const char *directory, const char *first) {
  log->path = format_copy("%s/log", directory);
  log->draft = format_copy("%s/log.%d", directory, (int)getpid());
  log->first = format_copy("%s", first);
  int error = open_draft(log, first, 0);
  if (error != 0) return error;
  if (link(log->draft, log->path) != 0) error = errno;
  unlink(log->draft);
  return error;
}

int log_reserve(struct log *log, long bytes) {
  long lacking = log->written + bytes - log->room;
  if (lacking <= 0) return 0;
  if (lacking < PIECE_BYTES) lacking = PIECE_BYTES;
  int error = fill(log->fd, log->room, lacking);
  if (error == 0) log->room += lacking;
  return error;
}

/* Also called by a child between vfork and exec: it allocates nothing while there is room. */
int log_append(struct log *log, const char *text) {
  long length = (long)strlen(text);
  int error = log_reserve(log, length + 1);
  if (error == 0) error = write_at(log->fd, text, (size_t)length, log->written);
  if (error == 0) log->written += length;
  return error;
}

void log_remember(struct log *log, struct run *run, const char *text) {
  (void)log;
  if (run == NULL) return;
  char *lines = format_copy("%s%s", run->lines == NULL ? "" : run->lines, text);
  free(run->lines);
  run->lines = lines;
}

static void forget(struct run **place) {
  struct run *run = *place;
  *place = run->next;
  free(run->directory);
  free(run->lines);
  free(run->held);
  free(run);
}

/* Replaces the log by what is still needed of it; keeps the old one if that fails. */
void log_replace(struct log *log, struct run **runs, long long doubt) {
  char *text = format_copy("%s%s", log->first, doubt > 0 ? format("doubt %lld .\n", doubt) : "");
  struct stat found;
  for (struct run **place = runs; *place != NULL;) {
    struct run *run = *place;
    if (run->is_over && stat(run->directory, &found) != 0) {
      forget(place);
      continue;
    }
    char *longer = format_copy("%s%s", text, run->lines == NULL ? "" : run->lines);
    free(text);
    text = longer;
    place = &run->next;
  }
  struct log next = *log;
  if (open_draft(&next, text, log->room) == 0) {
    if (rename(log->draft, log->path) == 0) {
      close(log->fd);
      *log = next;
    } else {
      close(next.fd);
      unlink(log->draft);
    }
  }
  free(text);
}

static int slots = -1;
static bool *taken;
static int slot_count;

bool slots_open(const char *directory) {
  slots = open(format("%s/leases", directory), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return slots >= 0;
}

/* Returns a blank slot, or -1 with errno when there is no room for one. Only a new one need be made. */
int slot_take(long long id) {
  (void)id;
  int slot = 0;
  while (slot < slot_count && taken[slot]) slot++;
  if (slot == slot_count) {
    char blank[SLOT_BYTES];
    memset(blank, ' ', sizeof blank - 1);
    blank[SLOT_BYTES - 1] = '\n';
    int error = write_at(slots, blank, sizeof blank, (long)slot * SLOT_BYTES);
    if (error != 0) {
      errno = error;
      return -1;
    }
    taken = must(realloc(taken, (size_t)(slot_count = slot + 1)));
  }
  taken[slot] = true;
  return slot;
}

void slot_free(int slot) {
  if (slot >= 0 && slot < slot_count) taken[slot] = false;
}

/* Reads the lease of a slot; false when there is none, or when it is being written. */
bool slot_read(int slot, struct lease *lease) {
  char text[SLOT_BYTES + 1];
  long long again, hundredths;
  ssize_t bytes = pread(slots, text, SLOT_BYTES, (off_t)slot * SLOT_BYTES);
  if (bytes != SLOT_BYTES) return false;
  text[SLOT_BYTES] = '\0';
  if (sscanf(text, "%lld %lld %lld %lld %lld", &lease->number, &hundredths, &lease->doubt, &lease->id, &again) != 5) return false;
  lease->left_ms = hundredths * 10;
  return lease->number == again;
}

static bool is_output_open = true;
static char *unread;
static size_t unread_length;

/* Its number must not become that of another file: a child would take that for its own output. */
void standard_close(int number) {
  int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (fd < 0 || fd == number) return;
  dup2(fd, number);
  close(fd);
}

void output_open(void) {
  fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
}

static void output_close(void) {
  is_output_open = false;
  unread_length = 0;
  standard_close(1);
}

void output_flush(void) {
  while (is_output_open && unread_length > 0) {
    ssize_t done = write(1, unread, unread_length);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EAGAIN) return;
    if (done <= 0) return output_close();
    unread_length -= (size_t)done;
    memmove(unread, unread + done, unread_length);
  }
}

/* Never blocks: a node that hangs must not keep leases from being enforced. */
void output_report(const char *text) {
  size_t length = strlen(text);
  if (!is_output_open) return;
  if (unread_length + length > UNREAD_BYTES_LIMIT) return output_close();
  unread = must(realloc(unread, unread_length + length));
  memcpy(unread + unread_length, text, length);
  unread_length += length;
  output_flush();
}

/* The descriptor to poll for room; -1 when nothing waits. */
int output_pending(void) { return is_output_open && unread_length > 0 ? 1 : -1; }

/* Appends a sentence for people to a run's stderr; a full disk must not keep the run from being ended. */
void append_note(const char *directory, const char *text) {
  /* The job may have put a pipe there, which must not block. */
  int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  int fd = open(format("%s/stderr", directory), flags, 0666);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) errno = 0;
  close(fd);
}
