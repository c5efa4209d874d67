/* bench/measure.h -- time, rounds, and the table of ratios.
 *
 * A case is one piece of work done twice: by this library and by hand-written SQLite. Both sides are run in turn, round
 * by round, in one process, so that whatever else the machine does meets both; a round's figure is CPU time (user and
 * system) per operation, and the result is the median of the rounds' ratios. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H
#include "kecs_store.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BENCH_ROUNDS_MAX = 101, BENCH_RESULTS_MAX = 64 };

typedef struct bench_result {
  const char *name;
  double ours;     /* microseconds of CPU per operation, median */
  double baseline; /* the same */
  double ratio;    /* median of the rounds' ratios */
  double least;
  double most;
  double target; /* at most; 0: there is none */
} bench_result;

typedef struct bench_table {
  bench_result results[BENCH_RESULTS_MAX];
  int count;
} bench_table;

/* What the program can't go on without. */
static void bench_check(bool good, const char *format, ...) KECS_STORE_PRINTF(2, 3);
static void bench_check(bool good, const char *format, ...) {
  if (!good) {
    va_list args;
    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
  }
}

static void bench_ok(kecs_status status, const char *doing) {
  bench_check(status == KECS_OK, "%s: %s", doing, status ? kecs_last_error()->text : "");
}

/* Seconds of CPU that this process has used, all threads. */
static inline double bench_cpu(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline int64_t bench_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int bench_compare(const void *a, const void *b) {
  double left = *(const double *)a;
  double right = *(const double *)b;
  return (left > right) - (left < right);
}

/* Sorts the values. */
static double bench_median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, bench_compare);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void bench_print_head(void) {
  printf("%-34s %10s %10s %7s  %-13s %s\n", "case (microseconds of CPU)", "ours", "baseline", "ratio", "min..max",
         "target");
}

static void bench_print(const bench_result *result) {
  printf("%-34s %10.2f %10.2f %7.2f  %5.2f..%-6.2f", result->name, result->ours, result->baseline, result->ratio,
         result->least, result->most);
  if (result->target > 0) {
    printf(" <= %.2f %s", result->target, result->ratio <= result->target ? "met" : "MISSED");
  }
  putchar('\n');
  fflush(stdout);
}

/* Adds a case from the seconds per operation of its rounds. The arrays are sorted afterwards. */
static void bench_add(bench_table *table, const char *name, double target, double *ours, double *theirs, int rounds) {
  double ratios[BENCH_ROUNDS_MAX];
  bench_check(table->count < BENCH_RESULTS_MAX, "more than %d cases", BENCH_RESULTS_MAX);
  for (int i = 0; i < rounds; i++) {
    ratios[i] = ours[i] / theirs[i];
  }
  bench_result *result = &table->results[table->count++];
  result->name = name;
  result->target = target;
  result->ratio = bench_median(ratios, rounds);
  result->least = ratios[0];
  result->most = ratios[rounds - 1];
  result->ours = bench_median(ours, rounds) * 1e6;
  result->baseline = bench_median(theirs, rounds) * 1e6;
  bench_print(result);
}

static void bench_write(const bench_table *table, const char *path) {
  FILE *file = fopen(path, "w");
  bench_check(file != NULL, "can't write %s", path);
  fputs("case\tours_us\tbaseline_us\tratio\ttarget\n", file);
  for (int i = 0; i < table->count; i++) {
    const bench_result *result = &table->results[i];
    fprintf(file, "%s\t%.3f\t%.3f\t%.3f\t", result->name, result->ours, result->baseline, result->ratio);
    fprintf(file, result->target > 0 ? "%.2f\n" : "\n", result->target);
  }
  bench_check(fclose(file) == 0, "can't write %s", path);
}

#endif
