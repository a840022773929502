// CHECK for the C++ test programs: reports a failed condition with its place and goes on; main returns check_result().
#pragma once

#include <stdarg.h>
#include <stdio.h>

inline int check_failures = 0;
inline long check_count = 0;

// CHECK(condition) or CHECK(condition, "format", values...), where the text says which case it was; it is true if the
// condition is. The first 50 failures are printed.
#define CHECK(...) check_at(__FILE__, __LINE__, #__VA_ARGS__, __VA_ARGS__)

inline bool check_at(const char* file, int line, const char* what, bool ok) {
  ++check_count;
  if (!ok && ++check_failures <= 50) fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
  return ok;
}

__attribute__((format(printf, 5, 6))) inline bool check_at(const char* file, int line, const char* what, bool ok,
                                                           const char* format, ...) {
  if (check_at(file, line, what, ok) || check_failures > 50) return ok;
  va_list values;
  va_start(values, format);
  fputs("    ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  return false;
}

inline int check_result() {
  printf("%ld checks, %d failed\n", check_count, check_failures);
  return check_failures != 0;
}
