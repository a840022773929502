// CHECK for the stand-alone test programs: counts and prints what failed, and main returns check_result().
#pragma once

#include <stdarg.h>
#include <stdio.h>

namespace check {

inline int failures = 0;
inline int passes = 0;

// Prints the first failures only; a broken kernel would otherwise print thousands.
inline bool report(bool ok, const char* text, const char* file, int line) {
  if (ok) {
    ++passes;
    return true;
  }
  if (++failures <= 50) fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, text);
  return false;
}

__attribute__((format(printf, 5, 6))) inline bool report_note(bool ok, const char* text, const char* file, int line,
                                                              const char* note, ...) {
  if (report(ok, text, file, line) || failures > 50) return ok;
  va_list values;
  va_start(values, note);
  fputs("    ", stderr);
  vfprintf(stderr, note, values);
  fputc('\n', stderr);
  va_end(values);
  return false;
}

inline int result() {
  printf("%d checks passed, %d failed\n", passes, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(condition) ::check::report(static_cast<bool>(condition), #condition, __FILE__, __LINE__)

// CHECK with a printf-style note that says which case it was. Both are true if the condition is.
#define CHECK_NOTE(condition, ...) \
  ::check::report_note(static_cast<bool>(condition), #condition, __FILE__, __LINE__, __VA_ARGS__)
