/* The PDQ hash against a twin that says the same plainly: whole pictures, one pixel at a time,
 * one sum after the other. */
#include <math.h>
#if defined(__unix__)
#include <pthread.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "exact.h"
#include "filter.h"

static int passed, failed;

static int check(int ok, const char *what) {
  ok ? passed++ : failed++;
  if (!ok) printf("FAILED (%s): %s\n", doorsill_kernel(), what);
  return ok;
}

/* --- The twin --- */

static void twin_box(const float *in, float *out, size_t n, size_t step) {
  const size_t window = (n + 127) / 128, half = (window + 2) / 2;
  float sum = 0;
  size_t left = 0, right = 0, count = 0;
  for (size_t written = 0; written < n;) {
    if (right < n) sum += in[step * right], count++;
    if (right >= window || right >= n) sum -= in[step * left++], count--;
    right++;
    if (right >= half) out[step * written++] = sum / (float)count;
  }
}

static int by_value(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Orientation `o` of the coefficients, as row i and column j of it. */
static float turned(float c[16][16], int o, int i, int j) {
  const int swap = o == 1 || o == 3 || o == 6 || o == 7;
  const int row = swap ? j : i, column = swap ? i : j;
  const int row_even = row % 2 == 0, column_even = column % 2 == 0;
  const int minus[8] = {0,           column_even, row_even != column_even, row_even, row_even,
                        column_even, 0,           row_even != column_even};
  return minus[o] ? -c[row][column] : c[row][column];
}

static void twin_hash(const uint8_t *rgb, size_t width, size_t height, int profile,
                      doorsill_pdq *to) {
  const int large = profile == DOORSILL_CPP512 && (width > 512 || height > 512);
  const size_t w = large ? 512 : width, h = large ? 512 : height;
  if (w < 5 || h < 5) return;
  float *a = exactly(w * h * sizeof *a), *b = exactly(w * h * sizeof *b);
  for (size_t y = 0; y < h; y++)
    for (size_t x = 0; x < w; x++) {
      const uint8_t *p = rgb + 3 * (width * (y * height / h) + x * width / w);
      if (profile == DOORSILL_FULL) {
        a[w * y + x] = (float)((double)p[0] * 0.299 + (double)p[1] * 0.587 + (double)p[2] * 0.114);
      } else {
        const float red = 0.299f * (float)p[0], green = 0.587f * (float)p[1];
        const float blue = 0.114f * (float)p[2];
        a[w * y + x] = red + green + blue;
      }
    }
  for (int pass = 0; pass < 2 && !(w == 64 && h == 64); pass++) {
    for (size_t y = 0; y < h; y++) twin_box(a + w * y, b + w * y, w, 1);
    for (size_t x = 0; x < w; x++) twin_box(b + x, a + x, h, w);
  }
  float grid[64][64], d[16][64], t[16][64], c[16][16];
  for (size_t i = 0; i < 64; i++)
    for (size_t j = 0; j < 64; j++)
      grid[i][j] = a[w * (size_t)(((double)i + 0.5) * (double)h / 64) +
                     (size_t)(((double)j + 0.5) * (double)w / 64)];
  free(a);
  free(b);
  int steps = 0;
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++) {
      if (i < 63) steps += abs((int)((grid[i][j] - grid[i + 1][j]) * 100 / 255));
      if (j < 63) steps += abs((int)((grid[i][j] - grid[i][j + 1]) * 100 / 255));
    }
  to->quality[profile] = (uint8_t)(steps / 90 > 100 ? 100 : steps / 90);
  const float scale = (float)sqrt(2.0 / 64);
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 64; j++)
      d[i][j] = (float)((double)scale * cos(acos(-1.0) / 128 * (i + 1) * (2 * j + 1)));
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 64; j++) {
      t[i][j] = 0;
      for (int k = 0; k < 64; k++) t[i][j] += d[i][k] * grid[k][j];
    }
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) {
      c[i][j] = 0;
      for (int k = 0; k < 64; k++) c[i][j] += t[i][k] * d[j][k];
    }
  for (int o = 0; o < 8; o++) {
    float sorted[256];
    for (int k = 0; k < 256; k++) sorted[k] = turned(c, o, k / 16, k % 16);
    qsort(sorted, 256, sizeof *sorted, by_value);
    for (int k = 0; k < 256; k++)
      if (turned(c, o, k / 16, k % 16) > sorted[127])
        to->hash[profile][o][31 - k / 8] |= (uint8_t)(1 << k % 8);
  }
}

/* --- Pictures --- */

/* Kind 0 is noise, 1 a gradient with much dust in its hash, 2 blocks, 3 flat. */
static uint8_t *picture(int kind, size_t w, size_t h) {
  uint8_t *rgb = exactly(3 * w * h);
  for (size_t y = 0; y < h; y++)
    for (size_t x = 0; x < w; x++)
      for (size_t c = 0; c < 3; c++)
        rgb[3 * (w * y + x) + c] =
            (uint8_t)(kind == 0   ? draw()
                      : kind == 1 ? (x * 255 / w * (c + 1) + y * 255 / h) / 4
                      : kind == 2 ? ((x * 7 / w + y * 5 / h + c) * 37) ^ (draw() & 7)
                                  : 90 + 30 * c);
  return rgb;
}

/* The picture in another format, rows `pad` bytes longer. Alpha is drawn, and then `rgb` becomes
 * what shows over the ground. */
static uint8_t *convert(uint8_t *rgb, size_t w, size_t h, uint32_t format, uint32_t ground,
                        size_t pad) {
  const size_t step = doorsill_pixel_bytes(format), stride = w * step + pad;
  uint8_t *out = exactly(stride * (h - 1) + w * step);
  for (size_t y = 0; y < h; y++)
    for (size_t x = 0; x < w; x++) {
      uint8_t *p = rgb + 3 * (w * y + x), *q = out + stride * y + step * x;
      if (step < 3) {
        const uint16_t wide = (uint16_t)(p[0] * 257 + (int)(draw() % 256) - 128 * (p[0] > 0));
        memcpy(q, &wide, step);
        if (step == 1)
          q[0] = p[0];
        else
          p[0] = (uint8_t)((wide + 128u) / 257u);
        p[1] = p[2] = p[0];
        continue;
      }
      const int bgr = format == DOORSILL_BGRX || format == DOORSILL_BGRA;
      for (size_t c = 0; c < 3; c++) q[bgr ? 2 - c : c] = p[c];
      if (step == 4) q[3] = draw() % 2 ? 255 : (uint8_t)draw();
      if (format == DOORSILL_RGBA || format == DOORSILL_BGRA)
        for (size_t c = 0; c < 3; c++)
          p[c] = (uint8_t)floor((p[c] * q[3] + (ground ? 0 : 255) * (255 - q[3])) / 255.0 + 0.5);
    }
  return out;
}

/* Rows in portions of `portion`, or of any size if that is 0. */
static int hash_in_portions(const uint8_t *pixels, ptrdiff_t stride, size_t w, size_t h,
                            uint32_t format, uint32_t ground, uint32_t portion, doorsill_pdq *pdq) {
  const size_t size = doorsill_pdq_workspace((uint32_t)w, (uint32_t)h);
  uint8_t *memory = exactly(size + 3);
  doorsill_hashing *hashing = NULL;
  memset(memory, 0xa5, size + 3);
  int ok = doorsill_pdq_begin(memory + 3, size, (uint32_t)w, (uint32_t)h, format, ground,
                              &hashing) == DOORSILL_OK;
  for (uint32_t row = 0, n; ok && row < h; row += n) {
    n = portion ? portion : (uint32_t)(draw() % 40);
    if (n > h - row) n = (uint32_t)h - row;
    ok = doorsill_pdq_end(hashing, pdq) == DOORSILL_BAD_ARGUMENT &&
         doorsill_pdq_rows(hashing, pixels + stride * (ptrdiff_t)row, stride, n) == DOORSILL_OK;
  }
  ok = ok && doorsill_pdq_rows(hashing, pixels, stride, 1) == DOORSILL_BAD_ARGUMENT &&
       doorsill_pdq_end(hashing, pdq) == DOORSILL_OK;
  free(memory);
  return ok;
}

/* --- Tests --- */

static void test_picture(int kind, size_t w, size_t h, uint32_t format, uint32_t ground) {
  uint8_t *rgb = picture(kind, w, h);
  const size_t pad = draw() % 9;
  uint8_t *pixels = convert(rgb, w, h, format, ground, pad);
  const ptrdiff_t stride = (ptrdiff_t)(w * doorsill_pixel_bytes(format) + pad);
  doorsill_pdq twin, got;
  memset(&twin, 0, sizeof twin);
  twin_hash(rgb, w, h, DOORSILL_FULL, &twin);
  twin_hash(rgb, w, h, DOORSILL_CPP512, &twin);
  static const uint32_t portions[] = {65535, 0, 1, 16, 17};
  int same = 1;
  for (size_t i = 0; i < sizeof portions / sizeof *portions; i++) {
    memset(&got, 0xa5, sizeof got);
    same &= hash_in_portions(pixels, stride, w, h, format, ground, portions[i], &got) &&
            memcmp(&got, &twin, sizeof got) == 0;
  }
  /* Bottom up: the same picture, its rows stored the other way round. */
  const size_t row_bytes = w * doorsill_pixel_bytes(format);
  uint8_t *flipped = exactly(row_bytes * h);
  for (size_t y = 0; y < h; y++)
    memcpy(flipped + row_bytes * (h - 1 - y), pixels + stride * (ptrdiff_t)y, row_bytes);
  const doorsill_pixels view = {.data = flipped + row_bytes * (h - 1),
                                .stride = -(ptrdiff_t)row_bytes,
                                .width = (uint32_t)w,
                                .height = (uint32_t)h,
                                .format = format};
  const size_t size = doorsill_pdq_workspace(view.width, view.height);
  void *workspace = exactly(size);
  same &= doorsill_pdq_hash(&view, ground, workspace, size, &got) == DOORSILL_OK &&
          memcmp(&got, &twin, sizeof got) == 0;
  char what[96];
  snprintf(what, sizeof what, "kind %d, %zux%zu, format %u, ground %u", kind, w, h, format, ground);
  check(same, what);
  free(workspace);
  free(flipped);
  free(pixels);
  free(rgb);
}

static void test_pictures(void) {
  static const uint16_t sizes[][2] = {{1, 1},     {4, 4},    {5, 5},     {4, 600},   {600, 4},
                                      {17, 33},   {63, 65},  {64, 64},   {64, 65},   {128, 64},
                                      {129, 128}, {127, 16}, {257, 300}, {512, 512}, {513, 100},
                                      {100, 700}, {640, 48}, {385, 90},  {1025, 37}, {30, 1300}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    for (int kind = 0; kind < 4; kind++)
      test_picture(kind, sizes[i][0], sizes[i][1], DOORSILL_RGB, DOORSILL_WHITE);
    for (uint32_t format = DOORSILL_GRAY; format <= DOORSILL_GRAY16; format++)
      test_picture(2, sizes[i][0], sizes[i][1], format, (uint32_t)i % 2);
  }
  test_picture(0, 33000, 21, DOORSILL_RGB, DOORSILL_WHITE); /* so wide that rows do not wait */
  test_picture(0, 12000, 40, DOORSILL_RGBX, DOORSILL_WHITE);
  test_picture(0, 7, 9000, DOORSILL_GRAY, DOORSILL_WHITE);
  test_picture(2, 65535, 5, DOORSILL_GRAY, DOORSILL_WHITE);
}

/* What pdqhash 0.2.8 and Meta's C++ tool say: the twin could be wrong as the core is. */
static void test_pinned(void) {
  static const struct {
    uint32_t w, h, quality[2];
    const char *hash[2];
  } pinned[] = {
      {200,
       150,
       {100, 100},
       {"2f705e8f95182f732a6f559b6934c960eae7d02c7599f095a534ada869e82968",
        "2f705e8f95182f732a6f559b6934c960eae7d02c7599f095a534ada869e82968"}},
      {700,
       500,
       {100, 100},
       {"ee1eeefeaf32da005f4c7f5cfe00f010ff12f817f80cea0ffe48e807ca011801",
        "ee1eeefeaf32da001fc87f1cfe00f054ff12f816f80cea0ffe0cf207c2011809"}},
      {64,
       64,
       {100, 100},
       {"847c5453aea5c52d4fd6b0b85e4a31b1ce8f739aac65cf8f38a8d25038f1e60a",
        "847c5453aea5c52d4fd6b0b85e4a31b1ce8f739aac65cf8f38a8d25038f1e60a"}},
  };
  for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++) {
    const size_t w = pinned[i].w, h = pinned[i].h,
                 size = doorsill_pdq_workspace(pinned[i].w, pinned[i].h);
    uint8_t *rgb = exactly(3 * w * h), *workspace = exactly(size);
    for (size_t k = 0; k < 3 * w * h; k++) {
      const size_t y = k / (3 * w), x = k / 3 % w, c = k % 3;
      rgb[k] = (uint8_t)((x * x + 3 * y * y) * (c + 1) / 97 + (x / 16 + y / 16) % 2 * 60 +
                         (uint64_t)k * 40503 / 65536 % 32);
    }
    const doorsill_pixels view = {rgb, (ptrdiff_t)(3 * w), pinned[i].w, pinned[i].h, DOORSILL_RGB};
    doorsill_pdq pdq;
    int same = doorsill_pdq_hash(&view, DOORSILL_WHITE, workspace, size, &pdq) == DOORSILL_OK;
    for (int profile = 0; same && profile < 2; profile++) {
      char hex[65];
      for (size_t k = 0; k < 32; k++) snprintf(hex + 2 * k, 3, "%02x", pdq.hash[profile][0][k]);
      same = strcmp(hex, pinned[i].hash[profile]) == 0 &&
             pdq.quality[profile] == pinned[i].quality[profile];
    }
    check(same, "hashes of the reference");
    free(workspace);
    free(rgb);
  }
}

static void test_workspace(void) {
  check(doorsill_pdq_workspace(0, 5) == 0 && doorsill_pdq_workspace(5, 65536) == 0, "no such size");
  size_t most = 0;
  for (uint32_t w = 1; w <= 65535; w++) {
    const uint32_t h = 100000000 / w;
    for (uint32_t less = 0; less < 2; less++) { /* also the tallest with a smaller window */
      const uint32_t tall = less ? h / 128 * 128 + 1 : h;
      const size_t size = doorsill_pdq_workspace(w, tall > 65535 ? 65535 : tall);
      if (tall && size > most) most = size;
    }
  }
  printf("at most %zu bytes for 100 megapixels, %zu at 4000x3000\n", most,
         doorsill_pdq_workspace(4000, 3000));
  check(most < 4000000, "the workspace is small");
  check(doorsill_pdq_workspace(65535, 65535) > 512u * 65535 * 4, "the largest size");
}

static void test_refusals(void) {
  static const uint8_t pixels[3 * 8 * 8];
  doorsill_hashing *h = NULL;
  doorsill_pdq pdq;
  const size_t size = doorsill_pdq_workspace(8, 8);
  uint8_t *memory = exactly(size);
  check(doorsill_pdq_begin(NULL, size, 8, 8, DOORSILL_RGB, 0, &h) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_begin(memory, size, 0, 8, DOORSILL_RGB, 0, &h) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_begin(memory, size, 8, 65536, DOORSILL_RGB, 0, &h) ==
                DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_begin(memory, size, 8, 8, 0, 0, &h) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_begin(memory, size, 8, 8, 8, 0, &h) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_begin(memory, size, 8, 8, DOORSILL_RGB, 4, &h) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_begin(memory, size, 8, 8, DOORSILL_RGB, 0, NULL) == DOORSILL_BAD_ARGUMENT,
        "bad arguments to begin");
  check(
      doorsill_pdq_begin(memory, size - 1, 8, 8, DOORSILL_RGB, 0, &h) == DOORSILL_SMALL_WORKSPACE &&
          !h,
      "small workspace");
  if (doorsill_pdq_begin(memory, size, 8, 8, DOORSILL_RGB, 0, &h) != DOORSILL_OK) {
    check(0, "begin");
    free(memory);
    return;
  }
  check(doorsill_pdq_rows(NULL, pixels, 24, 1) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_rows(h, NULL, 24, 1) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_rows(h, pixels, 24, 9) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_rows(h, pixels, 23, 2) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_rows(h, pixels + 23, -23, 2) == DOORSILL_BAD_ARGUMENT,
        "bad arguments to rows");
  check(doorsill_pdq_rows(h, NULL, 0, 0) == DOORSILL_OK &&
            doorsill_pdq_rows(h, pixels, 0, 1) == DOORSILL_OK &&
            doorsill_pdq_end(h, &pdq) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_rows(h, pixels + 24, 24, 7) == DOORSILL_OK &&
            doorsill_pdq_end(h, NULL) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_end(h, &pdq) == DOORSILL_OK &&
            doorsill_pdq_end(h, &pdq) == DOORSILL_BAD_ARGUMENT,
        "rows and end");
  const doorsill_pixels nowhere = {NULL, 24, 8, 8, DOORSILL_RGB};
  check(doorsill_pdq_hash(NULL, 0, memory, size, &pdq) == DOORSILL_BAD_ARGUMENT &&
            doorsill_pdq_hash(&nowhere, 0, memory, size, &pdq) == DOORSILL_BAD_ARGUMENT,
        "bad arguments to hash");
  free(memory);
}

/* The workspace as it is left by a picture whose rows come `portion` at a time. */
static int left_by(const uint8_t *rgb, uint32_t w, uint32_t h, uint32_t portion, uint8_t *memory,
                   size_t size) {
  doorsill_hashing *hashing = NULL;
  doorsill_pdq pdq;
  memset(memory, 0, size);
  int ok = doorsill_pdq_begin(memory, size, w, h, DOORSILL_RGB, 0, &hashing) == DOORSILL_OK;
  for (uint32_t y = 0; ok && y < h; y += portion)
    ok = doorsill_pdq_rows(hashing, rgb + (size_t)3 * w * y, (ptrdiff_t)(3 * w),
                           h - y < portion ? h - y : portion) == DOORSILL_OK;
  return ok && doorsill_pdq_end(hashing, &pdq) == DOORSILL_OK;
}

/* Whatever the picture was, the end leaves the same workspace: nothing in it tells of pixels. */
static void test_wiped(void) {
  static const uint32_t shapes[][2] = {{64, 64}, {5, 5},     {640, 480}, {33, 900},
                                       {64, 65}, {2500, 70}, {20000, 9}, {600, 64}};
  static const uint32_t portions[] = {1, 7, 16, 65535};
  int same = 1;
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
    const uint32_t w = shapes[s][0], h = shapes[s][1];
    const size_t bytes = (size_t)3 * w * h, size = doorsill_pdq_workspace(w, h);
    uint8_t *rgb = exactly(bytes), *memory = exactly(size), *other = exactly(size);
    for (size_t p = 0; p < sizeof portions / sizeof *portions; p++) {
      for (size_t i = 0; i < bytes; i++) rgb[i] = (uint8_t)draw();
      same &= left_by(rgb, w, h, portions[p], memory, size);
      memcpy(other, memory, size);
      memset(rgb, 0, bytes); /* of which no sum is other than 0 */
      same &= left_by(rgb, w, h, portions[p], memory, size);
      same &= memcmp(memory, other, size) == 0;
    }
    free(other);
    free(memory);
    free(rgb);
  }
  check(same, "nothing of a picture is left in the workspace");
}

#if defined(__unix__)
enum { STACK = 1 << 20, TELLING = 6 /* coefficients in a row: no accident */ };

static void *hash_grid(void *grid) {
  static doorsill_pdq pdq;
  uint8_t margins[4][DOORSILL_MARGINS];
  doorsill_dct(grid, pdq.hash[0], &pdq.quality[0]);
  doorsill_dct_margins(grid, margins);
  return NULL;
}

/* The 256 coefficients are a thumbnail, too: no stretch of them is left on the stack, with either
 * sign or as the integers among which the median is sought, but for what a compiler may have laid
 * down there of the last row's sums, the highest frequencies. */
static void test_stack(void) {
  float grid[DOORSILL_GRID * DOORSILL_GRID], c[256];
  for (size_t i = 0; i < sizeof grid / sizeof *grid; i++) grid[i] = (float)(draw() % 256);
  doorsill_coefficients(grid, c);
  uint32_t *stack = aligned_alloc(1 << 16, STACK);
  pthread_attr_t attributes;
  pthread_t thread;
  if (!stack) abort();
  memset(stack, 0, STACK);
  check(!pthread_attr_init(&attributes) && !pthread_attr_setstack(&attributes, stack, STACK) &&
            !pthread_create(&thread, &attributes, hash_grid, grid) && !pthread_join(thread, NULL),
        "a stack of our own");
  size_t found = 0;
  for (size_t i = 0; i + TELLING <= 256 - 16; i++)
    for (size_t at = 0; at + TELLING <= STACK / sizeof *stack; at++) {
      size_t alike = 0;
      for (; alike < TELLING; alike++) {
        uint32_t word;
        memcpy(&word, &c[i + alike], sizeof word);
        const uint32_t seen = stack[at + alike];
        if (seen != word && seen != (word ^ 0x80000000u) && seen != ~word) break;
      }
      found += alike == TELLING;
    }
  check(!found, "no coefficients are left on the stack");
  pthread_attr_destroy(&attributes);
  free(stack);
}
#else
static void test_stack(void) {}
#endif

/* One pixel that is not opaque is found wherever it is, colours and padding never are. */
static void test_has_alpha(void) {
  static const uint32_t shapes[][2] = {{1, 1}, {5, 3}, {33, 2}, {67, 9}};
  int right = 1, found = -1;
  for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
    for (int flipped = 0; flipped < 2; flipped++)
      for (uint32_t format = DOORSILL_GRAY; format <= DOORSILL_GRAY16; format++) {
        const uint32_t w = shapes[s][0], h = shapes[s][1];
        const size_t step = doorsill_pixel_bytes(format), stride = step * w + 3;
        const size_t bytes = stride * (h - 1) + step * w;
        const int alpha = format == DOORSILL_RGBA || format == DOORSILL_BGRA;
        uint8_t *data = exactly(bytes);
        const doorsill_pixels pixels = {flipped ? data + stride * (h - 1) : data,
                                        flipped ? -(ptrdiff_t)stride : (ptrdiff_t)stride, w, h,
                                        format};
        for (size_t i = 0; i < bytes; i++) data[i] = (uint8_t)(draw() % 255);
        for (uint32_t y = 0; y < h; y++)
          for (uint32_t x = 0; x < w; x++) data[stride * y + step * x + step - 1] = 255;
        right &= doorsill_has_alpha(&pixels, &found) == DOORSILL_OK && found == 0;
        for (uint32_t y = 0; y < h; y++)
          for (uint32_t x = 0; x < w; x++) {
            uint8_t *last = data + stride * y + step * x + step - 1;
            *last = (uint8_t)(255 - (1u << draw() % 8));
            right &= doorsill_has_alpha(&pixels, &found) == DOORSILL_OK && found == alpha;
            *last = 255;
          }
        free(data);
      }
  check(right, "alpha is found");

  const uint8_t data[4 * 5 * 5] = {0};
  const doorsill_pixels good = {data, 20, 5, 5, DOORSILL_RGBA};
  doorsill_pixels bad[7] = {good, good, good, good, good, good, good};
  bad[0].data = NULL;
  bad[1].width = 0;
  bad[2].height = 0;
  bad[3].width = 65536;
  bad[4].height = 65536;
  bad[5].format = 8;
  bad[6].stride = -19;
  int refused = doorsill_has_alpha(NULL, &found) == DOORSILL_BAD_ARGUMENT &&
                doorsill_has_alpha(&good, NULL) == DOORSILL_BAD_ARGUMENT;
  for (size_t i = 0; i < 7; i++)
    refused &= doorsill_has_alpha(&bad[i], &found) == DOORSILL_BAD_ARGUMENT;
  check(refused, "what is no picture has no alpha to look for");
}

static void test_distance(void) {
  int same = 1;
  for (size_t n = 0; n < 70; n++) {
    uint8_t *a = exactly(n), *b = exactly(n);
    uint32_t distance = 0;
    for (size_t i = 0; i < n; i++) {
      a[i] = (uint8_t)draw();
      b[i] = (uint8_t)draw();
      for (int bit = 0; bit < 8; bit++) distance += (uint32_t)((a[i] ^ b[i]) >> bit & 1);
    }
    same &= doorsill_distance(a, b, n) == distance;
    free(a);
    free(b);
  }
  check(same, "distance");
}

int main(void) {
  static const char *const kernels[] = {"portable", "avx2", "avx512", "neon"};
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
    if (doorsill_use_kernel(kernels[i]) != DOORSILL_OK) continue;
    test_pictures();
    test_pinned();
  }
  test_workspace();
  test_refusals();
  test_wiped();
  test_stack();
  test_has_alpha();
  test_distance();
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
