/* Texts: lines to write, frames to read, names of errors. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor.h"

void *must(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

/* The text is valid until the next call but seven. */
const char *format(const char *pattern, ...) {
  static char *texts[8];
  static unsigned next;
  va_list values;
  char **text = &texts[next++ % 8];
  free(*text);
  va_start(values, pattern);
  if (vasprintf(text, pattern, values) < 0) abort();
  va_end(values);
  return *text;
}

char *format_copy(const char *pattern, ...) {
  char *text;
  va_list values;
  va_start(values, pattern);
  if (vasprintf(&text, pattern, values) < 0) abort();
  va_end(values);
  return text;
}

const char *format_count(long long number) { return format("%lld", number); }

const char *name_error(int error) {
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 32)
  const char *name = strerrorname_np(error);
  if (name != NULL) return name;
#endif
  return format("E%d", error);
}

bool parse_count(const char *text, long long *value) {
  *value = 0;
  if (*text == '\0' || strlen(text) > 16) return false;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9') return false;
    *value = *value * 10 + (*text - '0');
  }
  return true;
}

/* Splits a payload of fields that each end in a NUL. Free `at` afterwards. */
bool fields_split(struct fields *fields, char *payload, long length) {
  fields->at = NULL;
  fields->count = 0;
  if (length == 0 || payload[length - 1] != '\0') return false;
  int room = 0;
  for (char *text = payload; text < payload + length; text += strlen(text) + 1) {
    /* Two more: a NULL at the end, and place for the shell of a script without `#!`. */
    if (fields->count + 2 >= room) fields->at = must(realloc(fields->at, sizeof(char *) * (size_t)(room = room * 2 + 32)));
    fields->at[fields->count++] = text;
  }
  fields->at[fields->count] = NULL;
  return true;
}

bool start_parse(struct start *order, const struct fields *fields) {
  char **at = fields->at;
  long long argc;
  if (fields->count < 9) return false;
  if (!parse_count(at[1], &order->id) || !parse_count(at[2], &order->lease_ms) || !parse_count(at[7], &argc)) return false;
  order->limit_ms = -1;
  if (strcmp(at[3], "-") != 0 && !parse_count(at[3], &order->limit_ms)) return false;
  order->is_plain = strcmp(at[4], "plain") == 0;
  if (!order->is_plain && strcmp(at[4], "namespace") != 0) return false;
  order->directory = at[5];
  order->input = at[6];
  if (argc < 1 || argc > fields->count - 8) return false;
  /* The arguments move down by one, so that a NULL has room between them and the environment. */
  memmove(at + 7, at + 8, sizeof(char *) * (size_t)argc);
  at[7 + argc] = NULL;
  order->argv = at + 7;
  order->environment = at + 8 + argc;
  return true;
}
