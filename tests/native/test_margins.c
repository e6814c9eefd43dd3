/* Margins of bits and the nearest row, in memory of exactly the right size and with every argument
 * that no correct caller passes. What the numbers are tests/test_margins.py holds to its twins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doorsill.h"

static int passed, failed;

static void claim(int holds, const char *what) {
  holds ? passed++ : failed++;
  if (!holds) printf("FAILED: %s\n", what);
}

static uint32_t state = 1;
static uint8_t next_byte(void) {
  state = state * 1664525u + 1013904223u;
  return (uint8_t)(state >> 24);
}

static int compare(const void *a, const void *b) {
  return *(const uint8_t *)a - *(const uint8_t *)b;
}

static void margins_of_pixels(void) {
  enum { WIDTH = 97, HEIGHT = 66 };
  uint8_t *pixels = malloc(WIDTH * HEIGHT), turned[2][DOORSILL_MARGINS];
  for (size_t i = 0; i < WIDTH * HEIGHT; i++) pixels[i] = next_byte();
  const size_t size = doorsill_pdq_workspace(WIDTH, HEIGHT);
  void *workspace = malloc(size);
  doorsill_hashing *hashing;
  doorsill_margins margins;
  doorsill_pdq pdq;
  claim(doorsill_pdq_begin(workspace, size, WIDTH, HEIGHT, DOORSILL_GRAY, DOORSILL_WHITE,
                           &hashing) == DOORSILL_OK,
        "a picture begins");
  claim(doorsill_pdq_margins(hashing, &margins) == DOORSILL_BAD_ARGUMENT, "no margins so early");
  claim(doorsill_pdq_rows(hashing, pixels, WIDTH, HEIGHT) == DOORSILL_OK, "its rows come");
  claim(doorsill_pdq_margins(NULL, &margins) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_margins(hashing, NULL) == DOORSILL_BAD_ARGUMENT,
        "nothing to read or to fill is refused");
  claim(doorsill_pdq_margins(hashing, &margins) == DOORSILL_OK, "margins are there");
  for (uint32_t profile = 0; profile < DOORSILL_PROFILES; profile++) {
    /* 6 is the picture transposed: the same margins, elsewhere. */
    const int both = doorsill_margins_turned(&margins, profile, 0, turned[0]) == DOORSILL_OK &&
                     doorsill_margins_turned(&margins, profile, 6, turned[1]) == DOORSILL_OK;
    claim(both && memcmp(turned[0], turned[1], sizeof turned[0]) != 0, "they move when turned");
    qsort(turned[0], DOORSILL_MARGINS, 1, compare);
    qsort(turned[1], DOORSILL_MARGINS, 1, compare);
    claim(memcmp(turned[0], turned[1], sizeof turned[0]) == 0, "and stay the same numbers");
  }
  claim(doorsill_margins_turned(&margins, 2, 0, turned[0]) == DOORSILL_BAD_ARGUMENT &&
            doorsill_margins_turned(&margins, 0, 8, turned[0]) == DOORSILL_BAD_ARGUMENT &&
            doorsill_margins_turned(NULL, 0, 0, turned[0]) == DOORSILL_BAD_ARGUMENT &&
            doorsill_margins_turned(&margins, 0, 0, NULL) == DOORSILL_BAD_ARGUMENT,
        "no other profile or orientation");
  claim(doorsill_pdq_end(hashing, &pdq) == DOORSILL_OK, "the picture ends");
  claim(doorsill_pdq_margins(hashing, &margins) == DOORSILL_BAD_ARGUMENT, "none after the end");
  free(workspace);
  free(pixels);
}

static void nearest_row(uint32_t rows) {
  uint8_t *plane = malloc(rows ? 16 * (size_t)rows : 1), queries[16 * 16];
  for (size_t i = 0; i < 16 * (size_t)rows; i++) plane[i] = next_byte();
  for (size_t i = 0; i < sizeof queries; i++) queries[i] = next_byte();
  uint32_t best = 33;
  if (rows > 3) {
    memcpy(queries + 16 * 5, plane + 16 * (rows - 1), 16);
    for (uint32_t bit = 0; bit < 7; bit++) queries[16 * 5 + 2 * bit] ^= 1;
  }
  for (uint32_t row = 0; row < rows; row++)
    for (size_t query = 0; query < 16; query++) {
      const uint32_t distance =
          doorsill_distance(plane + 16 * (size_t)row, queries + 16 * query, 16);
      if (distance < best) best = distance;
    }
  doorsill_hit hit = {0, 0, 0, 99};
  int found = 5;
  claim(doorsill_nearest(plane, rows, queries, 16, 32, &hit, &found) == DOORSILL_OK &&
            found == (best < 33) && hit.distance == (found ? best : 99),
        "the nearest row is the nearest of all pairs");
  if (rows > 3)
    claim(hit.row == rows - 1 && hit.entry == hit.row && hit.query == 5 && hit.distance == 7,
          "and says which it is");
  free(plane);
}

int main(void) {
  margins_of_pixels();
  static const uint32_t counts[] = {0, 1, 63, 64, 65, 1024, 1100};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) nearest_row(counts[i]);
  doorsill_hit hit;
  int found;
  uint8_t row[16] = {0};
  claim(doorsill_nearest(row, 1, row, 1, 33, &hit, &found) == DOORSILL_BAD_ARGUMENT &&
            doorsill_nearest(row, 1, row, 17, 1, &hit, &found) == DOORSILL_BAD_ARGUMENT &&
            doorsill_nearest(NULL, 1, row, 1, 1, &hit, &found) == DOORSILL_BAD_ARGUMENT &&
            doorsill_nearest(row, 1, NULL, 1, 1, &hit, &found) == DOORSILL_BAD_ARGUMENT &&
            doorsill_nearest(row, 1, row, 1, 1, NULL, &found) == DOORSILL_BAD_ARGUMENT &&
            doorsill_nearest(row, 1, row, 1, 1, &hit, NULL) == DOORSILL_BAD_ARGUMENT,
        "arguments of no correct caller are refused");
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
