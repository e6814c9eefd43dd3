/* The banded resize against its definition, one output at a time over the whole picture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "internal.h"

static int passed, failed;

static void check(int ok, const char *what) {
  ok ? passed++ : failed++;
  if (!ok) printf("FAILED %s\n", what);
}

/* Bytes of a pixel, by doorsill_format. */
static const uint32_t bytes[] = {0, 1, 3, 4, 4, 4, 4, 2};

/* One colour as the header says: over the ground, 16 bits to 8. */
static uint32_t value(const uint8_t *p, uint32_t format, uint32_t ground, uint32_t c) {
  const int bgr = format == DOORSILL_BGRX || format == DOORSILL_BGRA;
  if (format == DOORSILL_GRAY) return p[0];
  if (format == DOORSILL_GRAY16) {
    uint16_t v;
    memcpy(&v, p, 2);
    return (uint32_t)(v / 257.0 + 0.5);
  }
  const uint32_t colour = p[bgr ? 2 - c : c];
  if (ground == DOORSILL_ALPHA_IGNORED || (format != DOORSILL_RGBA && format != DOORSILL_BGRA))
    return colour;
  const double level = ground == DOORSILL_WHITE ? 255 : ground == DOORSILL_BLACK ? 0 : 128;
  return (uint32_t)((colour * p[3] + level * (255 - p[3])) / 255 + 0.5);
}

static uint64_t lap(uint64_t a, uint64_t end_a, uint64_t b, uint64_t end_b) {
  const uint64_t from = a > b ? a : b, to = end_a < end_b ? end_a : end_b;
  return to > from ? to - from : 0;
}

static void naive(const uint8_t *p, uint32_t w, uint32_t h, uint32_t format, uint32_t ground,
                  uint32_t side, uint8_t *rgb) {
  for (uint64_t j = 0; j < side; j++)
    for (uint64_t i = 0; i < side; i++)
      for (uint32_t c = 0; c < 3; c++) {
        uint64_t sum = 0;
        for (uint64_t y = 0; y < h; y++) {
          const uint64_t down = lap(y * side, y * side + side, j * h, j * h + h);
          for (uint64_t x = 0; down && x < w; x++)
            sum += down * lap(x * side, x * side + side, i * w, i * w + w) *
                   value(p + (y * w + x) * bytes[format], format, ground, c);
        }
        const uint64_t area = (uint64_t)w * h;
        *rgb++ = (uint8_t)((2 * sum + area) / (2 * area));
      }
}

static void test_definition(void) {
  static const uint32_t shapes[][3] = {{1, 1, 1},   {1, 1, 5},   {7, 3, 4},  {16, 16, 16},
                                       {17, 31, 8}, {5, 700, 2}, {90, 2, 7}, {33, 60, 40}};
  for (uint32_t format = DOORSILL_GRAY; format <= DOORSILL_GRAY16; format++)
    for (uint32_t ground = 0; ground <= DOORSILL_ALPHA_IGNORED; ground++)
      for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const uint32_t w = shapes[s][0], h = shapes[s][1], side = shapes[s][2];
        const size_t row = (size_t)w * bytes[format], out = (size_t)3 * side * side;
        uint8_t *pixels = exactly(row * h), *a = exactly(out), *b = exactly(out);
        for (size_t i = 0; i < row * h; i++) pixels[i] = s % 2 ? (uint8_t)draw() : 255;
        naive(pixels, w, h, format, ground, side, a);
        const size_t size = doorsill_resize_workspace(w, h, side);
        uint8_t *workspace = exactly(size);
        doorsill_resizing *resizing;
        check(doorsill_resize_begin(workspace, size, w, h, format, ground, side, &resizing) ==
                  DOORSILL_OK,
              "begin");
        check(doorsill_resize_end(resizing, b) == DOORSILL_BAD_ARGUMENT, "not before the rows");
        for (uint32_t done = 0; done < h;) {
          const uint32_t most = h - done, n = 1 + (uint32_t)(draw() % (most < 300 ? most : 300));
          check(
              doorsill_resize_rows(resizing, pixels + row * done, (ptrdiff_t)row, n) == DOORSILL_OK,
              "rows");
          done += n;
        }
        check(doorsill_resize_rows(resizing, pixels, (ptrdiff_t)row, 1) == DOORSILL_BAD_ARGUMENT,
              "no row too many");
        check(doorsill_resize_end(resizing, b) == DOORSILL_OK, "end");
        check(!memcmp(a, b, out), "the definition");
        check(doorsill_resize_end(resizing, b) == DOORSILL_BAD_ARGUMENT, "once");
        free(pixels);
        free(a);
        free(b);
        free(workspace);
      }
}

/* The largest sums fit: white stays white at the greatest sides. */
static void test_largest(void) {
  const uint32_t side = 3;
  uint8_t *row = exactly((size_t)DOORSILL_MAX_SIDE * 4), rgb[27];
  memset(row, 255, (size_t)DOORSILL_MAX_SIDE * 4);
  const size_t size = doorsill_resize_workspace(DOORSILL_MAX_SIDE, 3000, side);
  uint8_t *workspace = exactly(size);
  doorsill_resizing *resizing;
  check(doorsill_resize_begin(workspace, size, DOORSILL_MAX_SIDE, 3000, DOORSILL_RGBX, 0, side,
                              &resizing) == DOORSILL_OK,
        "begin");
  for (int y = 0; y < 3000; y++)
    check(doorsill_resize_rows(resizing, row, 0, 1) == DOORSILL_OK, "rows");
  check(doorsill_resize_end(resizing, rgb) == DOORSILL_OK, "end");
  int white = 1;
  for (int i = 0; i < 27; i++) white &= rgb[i] == 255;
  check(white, "white stays white");
  free(row);
  free(workspace);
}

/* What the header promises of the workspace, over the shapes at its ends. */
static void test_workspace(void) {
  static const uint32_t heights[] = {1, 5, 3000, DOORSILL_MAX_SIDE};
  size_t most = 0;
  for (uint32_t w = 1; w <= DOORSILL_MAX_SIDE; w++)
    for (size_t h = 0; h < sizeof heights / sizeof *heights; h++) {
      const size_t size = doorsill_resize_workspace(w, heights[h], DOORSILL_MAX_RESIZED);
      if (size > most) most = size;
    }
  for (uint32_t side = 1; side <= DOORSILL_MAX_RESIZED; side++) {
    const size_t size = doorsill_resize_workspace(DOORSILL_MAX_SIDE, DOORSILL_MAX_SIDE, side);
    if (size > most) most = size;
  }
  printf("at most %zu bytes\n", most);
  check(most > 2600000 && most < 2700000, "the workspace is what the header says");
}

static void test_refusals(void) {
  uint8_t memory[8192];
  doorsill_resizing *r;
  check(!doorsill_resize_workspace(0, 5, 5) && !doorsill_resize_workspace(5, 65536, 5) &&
            !doorsill_resize_workspace(5, 5, 0) && !doorsill_resize_workspace(5, 5, 513),
        "sizes out of bounds have no workspace");
  check(doorsill_resize_begin(memory, sizeof memory, 5, 5, 0, 0, 4, &r) == DOORSILL_BAD_ARGUMENT &&
            doorsill_resize_begin(memory, sizeof memory, 5, 5, 8, 0, 4, &r) ==
                DOORSILL_BAD_ARGUMENT &&
            doorsill_resize_begin(memory, sizeof memory, 5, 5, DOORSILL_RGB, 4, 4, &r) ==
                DOORSILL_BAD_ARGUMENT &&
            doorsill_resize_begin(NULL, sizeof memory, 5, 5, DOORSILL_RGB, 0, 4, &r) ==
                DOORSILL_BAD_ARGUMENT,
        "formats, grounds, pointers");
  check(doorsill_resize_begin(memory, doorsill_resize_workspace(5, 5, 4) - 1, 5, 5, DOORSILL_RGB, 0,
                              4, &r) == DOORSILL_SMALL_WORKSPACE,
        "a small workspace");
  check(doorsill_resize_begin(memory, sizeof memory, 5, 5, DOORSILL_RGB, 0, 4, &r) == DOORSILL_OK &&
            doorsill_resize_rows(r, memory, 14, 2) == DOORSILL_BAD_ARGUMENT &&
            doorsill_resize_rows(r, NULL, 15, 1) == DOORSILL_BAD_ARGUMENT,
        "rows that overlap or are missing");
}

int main(void) {
  test_definition();
  test_largest();
  test_workspace();
  test_refusals();
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
