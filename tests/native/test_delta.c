/* Deltas: every step and every refusal, on a base of a few bytes.
 *
 * All copies lie in memory of exactly their size, so that a sanitizer sees one byte too many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doorsill.h"

enum { HEADER = 96, MAPS_AT = 10, LARGEST = 4096 };

static int passed, failed;

static void claim(int holds, const char *what) {
  holds ? passed++ : failed++;
  if (!holds) printf("FAILED: %s\n", what);
}

typedef struct made {
  uint8_t bytes[LARGEST];
  size_t size;
} made;

static void put(made *delta, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) delta->bytes[delta->size++] = (uint8_t)(value >> (8 * i));
}

static made begin(uint64_t base_size, uint64_t result_size, int maps) {
  static const uint8_t magic[8] = {0x89, 'D', 'S', 'D', '\r', '\n', 0x1a, '\n'};
  made delta = {{0}, sizeof magic};
  memcpy(delta.bytes, magic, sizeof magic);
  put(&delta, 1, 2);
  put(&delta, (uint64_t)maps, 2);
  put(&delta, 0, 4);
  put(&delta, base_size, 8);
  put(&delta, result_size, 8);
  for (int i = 0; i < 64; i++) put(&delta, (uint64_t)i, 1);
  return delta;
}

/* One removed and one inserted row, or none where that is negative. */
static void map(made *delta, uint32_t before, uint32_t after, int64_t removed, int64_t inserted) {
  put(delta, before, 4);
  put(delta, after, 4);
  put(delta, removed >= 0, 4);
  put(delta, inserted >= 0, 4);
  if (removed >= 0) put(delta, (uint64_t)removed, 4);
  if (inserted >= 0) put(delta, (uint64_t)inserted, 4);
}

static void number(made *delta, uint64_t value) {
  for (; value > 0x7f; value >>= 7) put(delta, 0x80 | (value & 0x7f), 1);
  put(delta, value, 1);
}

static void step(made *delta, int operation, int count, const uint64_t *numbers) {
  put(delta, (uint64_t)operation, 1);
  for (int i = 0; i < count; i++) number(delta, numbers[i]);
}
#define STEP(delta, operation, ...)                                                 \
  step(delta, operation, (int)(sizeof(uint64_t[]){__VA_ARGS__} / sizeof(uint64_t)), \
       (uint64_t[]){__VA_ARGS__})

/* 8 rows of 2 bytes: numbers 0 to 7, but the last row names 0 again. */
static const uint8_t base[16] = {0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0};

static const char *detail;

static doorsill_status apply(const made *delta, size_t size, uint8_t *result, size_t capacity) {
  uint8_t *from = malloc(sizeof base), *with = malloc(size ? size : 1);
  uint8_t *to = malloc(capacity ? capacity : 1);
  memcpy(from, base, sizeof base);
  memcpy(with, delta->bytes, size);
  detail = NULL;
  const doorsill_status status =
      doorsill_delta_apply(from, sizeof base, with, size, to, capacity, &detail);
  if (result && status == DOORSILL_OK) memcpy(result, to, capacity);
  free(from);
  free(with);
  free(to);
  return status;
}

static void makes(const made *delta, const void *wanted, size_t size, const char *what) {
  uint8_t result[LARGEST];
  const doorsill_status status = apply(delta, delta->size, result, size);
  claim(status == DOORSILL_OK && memcmp(result, wanted, size) == 0, what);
  if (status != DOORSILL_OK) printf("        %s\n", detail ? detail : "no detail");
  for (size_t cut = 0; cut < delta->size; cut++)
    if (size && apply(delta, cut, NULL, size) == DOORSILL_OK)
      claim(0, "a delta cut short is refused");
  for (size_t at = 0; at < delta->size; at++) {
    made bent = *delta;
    bent.bytes[at] ^= 0xff;
    (void)apply(&bent, bent.size, NULL, size); /* the result's digest decides; here: no harm */
  }
}

static void refused(const made *delta, size_t capacity, const char *why) {
  const doorsill_status status = apply(delta, delta->size, NULL, capacity);
  claim(status == DOORSILL_BAD_DELTA && detail && strstr(detail, why), why);
  if (detail && !strstr(detail, why)) printf("        but: %s\n", detail);
}

enum { LITERAL, COPY, ZEROS, COUNT, COLUMN, NUMBERS, UNKNOWN };

static void steps_that_work(void) {
  made d = begin(sizeof base, 8, 0);
  STEP(&d, COPY, 3, 2);
  STEP(&d, LITERAL, 2);
  put(&d, 0xbbaa, 2);
  STEP(&d, ZEROS, 3);
  makes(&d, (const uint8_t[]){1, 0, 2, 0xaa, 0xbb, 0, 0, 0}, 8, "bytes are copied and set");

  d = begin(sizeof base, 12, 0);
  STEP(&d, COUNT, 3, 254);
  makes(&d, (const uint8_t[]){254, 0, 0, 0, 255, 0, 0, 0, 0, 1, 0, 0}, 12, "numbers are counted");

  d = begin(sizeof base, 16, 1);
  map(&d, 8, 8, 2, 0);
  STEP(&d, COLUMN, 0, 2, 0);
  put(&d, 0xcccc, 2);
  makes(&d, (const uint8_t[]){0xcc, 0xcc, 0, 0, 1, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0}, 16,
        "a row goes and another comes");

  d = begin(sizeof base, 16, 1); /* the rows are those that the numbers name */
  map(&d, 8, 8, 2, 8 - 1);
  STEP(&d, COLUMN, 0, 2, 0);
  put(&d, 0xcccc, 2);
  makes(&d, (const uint8_t[]){0, 0, 1, 0, 3, 0, 4, 0, 5, 0, 6, 0, 0, 0, 0xcc, 0xcc}, 16,
        "a row comes at the end");

  d = begin(sizeof base, 14, 2);
  map(&d, 8, 7, 2, -1);
  map(&d, 7, 7, 2, 0); /* what the numbers name: row 2 went, one came before all */
  STEP(&d, NUMBERS, 0, 1, 2, 0);
  makes(&d, (const uint8_t[]){1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 1, 0}, 14,
        "numbers follow the rows that they name");

  d = begin(sizeof base, 20, 2); /* four numbers of 4 bytes: 0x10000, 0x30002, ... */
  map(&d, 4, 5, -1, 4);
  map(&d, 0x70000, 0x70000 - 1, 1, -1);
  STEP(&d, NUMBERS, 0, 1, 4, 0);
  put(&d, 9, 4);
  makes(&d, (const uint8_t[]){255, 255, 0, 0, 1, 0, 3, 0, 3, 0, 5, 0, 5, 0, 0, 0, 9, 0, 0, 0}, 20,
        "numbers of 4 bytes");

  d = begin(sizeof base, 2, 1);
  map(&d, 0, 1, -1, 0);
  STEP(&d, COLUMN, 0, 2, 16);
  put(&d, 0xcccc, 2);
  makes(&d, (const uint8_t[]){0xcc, 0xcc}, 2, "a column of new rows alone");

  d = begin(sizeof base, 4, 1); /* removals after the last row that stays */
  map(&d, 3, 2, 2, -1);
  STEP(&d, COLUMN, 0, 2, 0);
  makes(&d, base, 4, "the last row goes");
}

static void bytes_that_are_refused(void) {
  made d = begin(sizeof base, 4, 0);
  STEP(&d, COPY, 4, 13);
  refused(&d, 4, "beyond its base");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COPY, 4, 17);
  refused(&d, 4, "beyond its base");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COPY, 5, 0);
  refused(&d, 4, "more than it says");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COPY, 3, 0);
  refused(&d, 4, "less than it says");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COPY, 0, 0);
  refused(&d, 4, "does nothing");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COPY, 4);
  refused(&d, 4, "too early");
  d = begin(sizeof base, 4, 0);
  STEP(&d, LITERAL, 4);
  put(&d, 0, 3);
  refused(&d, 4, "too early");
  d = begin(sizeof base, 4, 0);
  STEP(&d, UNKNOWN, 4);
  refused(&d, 4, "unknown kind");
  d = begin(sizeof base, 4, 0);
  put(&d, ZEROS, 1);
  for (int i = 0; i < 10; i++) put(&d, 0xff, 1);
  refused(&d, 4, "too early");
  d = begin(sizeof base, 4, 0);
  STEP(&d, ZEROS, (uint64_t)1 << 62); /* a bomb */
  refused(&d, 4, "more than it says");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COUNT, 0, 0);
  refused(&d, 4, "does nothing");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COUNT, 1);
  refused(&d, 4, "too early");
  d = begin(sizeof base, 4, 0);
  put(&d, COUNT, 1);
  refused(&d, 4, "too early");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COUNT, 1, (uint64_t)1 << 32);
  refused(&d, 4, "32 bits");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COUNT, 2, UINT32_MAX);
  refused(&d, 4, "32 bits");
  d = begin(sizeof base, 4, 0);
  STEP(&d, COUNT, 2, 0);
  refused(&d, 4, "more than it says");
}

static made with_map(uint32_t before, uint32_t after, int64_t removed, int64_t inserted) {
  made d = begin(sizeof base, 4, 1);
  map(&d, before, after, removed, inserted);
  return d;
}

static void columns_that_are_refused(void) {
  made d = with_map(8, 8, 8, 0);
  refused(&d, 4, "order or range");
  d = with_map(8, 8, 0, 8);
  refused(&d, 4, "order or range");
  d = with_map(8, 8, 0, -1);
  refused(&d, 4, "contradict");
  d = begin(sizeof base, 4, 1);
  for (int i = 0; i < 2; i++) put(&d, (uint64_t)(8 - 2 * i), 4);
  put(&d, 2, 4);
  put(&d, 0, 4);
  for (int i = 0; i < 2; i++) put(&d, 3, 4); /* the same row twice */
  refused(&d, 4, "order or range");
  const uint64_t tries[][3] = {{1, 2, 0}, {0, 0, 0}, {0, 65, 0}, {0, 3, 0}, {0, 2, 0}};
  const char *const whys[] = {"unknown map", "too wide", "too wide", "beyond its base",
                              "more than it says"};
  for (int i = 0; i < 5; i++) {
    d = with_map(8, 7, 2, -1);
    step(&d, COLUMN, 3, tries[i]);
    refused(&d, 4, whys[i]);
  }
  d = with_map(2, 2, 1, 0);
  STEP(&d, NUMBERS, 0, 1, 2, 0);
  refused(&d, 4, "unknown map");
  d = with_map(2, 2, 1, 0);
  STEP(&d, NUMBERS, 0, 0, 3, 0);
  refused(&d, 4, "too wide");
  d = begin(sizeof base, 4, 2);
  map(&d, 2, 2, -1, -1);
  map(&d, 2, 1, 1, -1); /* row 1 goes, and the second number names it */
  STEP(&d, NUMBERS, 0, 1, 2, 0);
  refused(&d, 4, "row that went");
  d = begin(sizeof base, 4, 2);
  map(&d, 2, 2, -1, -1);
  map(&d, 1, 1, -1, -1);
  STEP(&d, NUMBERS, 0, 1, 2, 0); /* 1 is beyond the rows that can be named */
  refused(&d, 4, "row that went");
  d = begin(sizeof base, 4, 2);
  map(&d, 2, 2, -1, -1);
  map(&d, 0x10001, 0x10001, -1, -1); /* too many for 2 bytes */
  STEP(&d, NUMBERS, 0, 1, 2, 0);
  refused(&d, 4, "too wide");
  d = begin(sizeof base, 4, 1);
  map(&d, 1, 2, -1, 0);
  STEP(&d, COLUMN, 0, 2, 0); /* the new row is missing */
  refused(&d, 4, "too early");
}

/* A column that keeps one row of the eight, `times` over. */
static made walked(int times) {
  made d = begin(sizeof base, 2 * (uint64_t)times, 1);
  const uint32_t counts[] = {8, 1, 7, 0};
  for (int i = 0; i < 4; i++) put(&d, counts[i], 4);
  for (uint64_t row = 1; row < 8; row++) put(&d, row, 4);
  for (int i = 0; i < times; i++) STEP(&d, COLUMN, 0, 2, 0);
  return d;
}

/* A step of 4 bytes may not cost a walk over all removed rows as often as one likes. */
static void work_that_is_bounded(void) {
  made d = walked(1);
  makes(&d, base, 2, "one row stays");
  d = walked(2);
  refused(&d, 4, "more than the base");
  d = begin(sizeof base, 0, 1);
  map(&d, 1, 0, 0, -1);
  for (int i = 0; i < 3; i++) STEP(&d, COLUMN, 0, 1, 0);
  refused(&d, 0, "does nothing");
  d = begin(sizeof base, 0, 1);
  map(&d, 0, 0, -1, -1);
  STEP(&d, NUMBERS, 0, 0, 2, 16);
  refused(&d, 0, "does nothing");
}

static void headers_that_are_refused(void) {
  made good = begin(sizeof base, 4, 0), d = good;
  STEP(&good, COPY, 4, 0);
  makes(&good, base, 4, "the header is in order");
  d = good;
  d.bytes[0] = 0;
  refused(&d, 4, "mark of a delta");
  d = good;
  d.bytes[8] = 2;
  claim(apply(&d, d.size, NULL, 4) == DOORSILL_NEWER_FORMAT, "another version is refused");
  d = good;
  d.bytes[MAPS_AT] = 33;
  refused(&d, 4, "too many maps");
  d = good;
  d.bytes[12] = 1;
  refused(&d, 4, "not 0");
  d = good;
  d.bytes[16] = sizeof base + 1;
  refused(&d, 4, "another length");
  claim(apply(&good, good.size, NULL, 3) == DOORSILL_SMALL_WORKSPACE, "too little room is refused");
  doorsill_delta_info info;
  uint8_t room[4];
  claim(doorsill_delta_describe(good.bytes, good.size, &info, NULL) == DOORSILL_OK &&
            info.base_size == sizeof base && info.result_size == 4 && info.base_sha256[31] == 31 &&
            info.result_sha256[0] == 32,
        "a delta says what it is for");
  claim(doorsill_delta_describe(NULL, 0, &info, NULL) == DOORSILL_BAD_ARGUMENT &&
            doorsill_delta_describe(good.bytes, good.size, NULL, NULL) == DOORSILL_BAD_ARGUMENT &&
            doorsill_delta_describe(room, 0, &info, NULL) == DOORSILL_BAD_DELTA &&
            doorsill_delta_apply(NULL, 0, good.bytes, good.size, room, 4, NULL) ==
                DOORSILL_BAD_ARGUMENT &&
            doorsill_delta_apply(base, 16, good.bytes, good.size, NULL, 4, NULL) ==
                DOORSILL_BAD_ARGUMENT,
        "NULL is refused");
}

int main(void) {
  steps_that_work();
  bytes_that_are_refused();
  columns_that_are_refused();
  work_that_is_bounded();
  headers_that_are_refused();
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
