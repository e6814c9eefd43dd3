/* What instructions.py counts: a hot kernel, so many times, on the same input each time.
 *
 * instructions hash|search KERNEL TIMES */
#include <stdio.h>
#include <string.h>

#include "draw.h"
#include "internal.h"

enum { WIDTH = 2000, HEIGHT = 1000, BLOCKS = 1563 /* of 64 rows: a hundred thousand */ };

static int hash(int times) {
  const size_t bytes = (size_t)3 * WIDTH * HEIGHT, size = doorsill_pdq_workspace(WIDTH, HEIGHT);
  uint8_t *rgb = exactly(bytes), *workspace = exactly(size);
  for (size_t i = 0; i < bytes; i++) rgb[i] = (uint8_t)draw();
  const doorsill_pixels pixels = {rgb, 3 * WIDTH, WIDTH, HEIGHT, DOORSILL_RGB};
  doorsill_pdq pdq;
  int ok = 1;
  for (int i = 0; i < times; i++)
    ok &= doorsill_pdq_hash(&pixels, DOORSILL_WHITE, workspace, size, &pdq) == DOORSILL_OK;
  free(rgb);
  free(workspace);
  return ok;
}

static int search(int times) {
  uint8_t *plane = exactly((size_t)1024 * BLOCKS);
  const uint8_t query[16] = {0};
  const doorsill_queries queries = {query, 16, 1, 31};
  static uint64_t masks[BLOCKS];
  for (size_t i = 0; i < (size_t)1024 * BLOCKS; i++) plane[i] = (uint8_t)draw();
  for (int i = 0; i < times; i++) doorsill_kernels_now()->near_rows(plane, BLOCKS, &queries, masks);
  free(plane);
  return 1;
}

int main(int count, char **words) {
  if (count != 4 || doorsill_use_kernel(words[2]) != DOORSILL_OK) return 2;
  const int times = atoi(words[3]);
  return !(strcmp(words[1], "hash") == 0 ? hash(times) : search(times));
}
