/* Draws a picture, its format, ground, stride and portions from what the fuzzer invents, and has
 * every kernel of this processor hash it: all must give what the portable one gives, bit for bit.
 * Build: clang -fsanitize=fuzzer,address,undefined. */
#include <stdlib.h>
#include <string.h>

#include "doorsill.h"
#include "draw.h"

typedef struct input {
  const uint8_t *data;
  size_t left;
} input;

static uint32_t take(input *from, size_t bytes) {
  uint32_t value = 0;
  for (; bytes && from->left; bytes--, from->left--) value = value << 8 | *from->data++;
  return value;
}

/* Mostly small, sometimes around the places where filters and kernels change their ways. */
static uint32_t side(input *from) {
  static const uint16_t edges[] = {1,   4,   5,   15,  16,  17,  63,  64,  65,  127,
                                   128, 129, 255, 256, 257, 511, 512, 513, 640, 1025};
  const uint32_t kind = take(from, 1);
  if (kind < 96) return edges[kind % (sizeof edges / sizeof *edges)];
  return 1 + take(from, kind < 240 ? 1 : 2) % 1200;
}

/* The pixels begin and end exactly where the first and the last row do. */
typedef struct picture {
  uint32_t width, height, format, ground;
  size_t stride, bytes;
  uint8_t *pixels;
  uint8_t portions[16]; /* rows handed over at a time; 0: all that are left */
  int upside_down;      /* rows lie in memory from the last to the first, as in bitmaps */
} picture;

/* Noise, plain levels, stripes or the fuzzer's own bytes, again and again. */
static void paint(picture *to, input *from) {
  const uint32_t kind = take(from, 1) % 4, step = 1 + take(from, 1), level = take(from, 1);
  uint64_t noise = take(from, 4) | 1;
  for (size_t i = 0; i < to->bytes; i++) {
    noise = noise * 6364136223846793005u + 1442695040888963407u;
    to->pixels[i] = kind == 0    ? (uint8_t)(noise >> 56)
                    : kind == 1  ? (uint8_t)level
                    : kind == 2  ? (uint8_t)(i % to->stride / step % 2 ? level : ~level)
                    : from->left ? from->data[i % from->left]
                                 : (uint8_t)i;
  }
}

static doorsill_pdq hashed(const picture *of, int in_portions) {
  const size_t size = doorsill_pdq_workspace(of->width, of->height);
  void *workspace = exactly(size);
  doorsill_hashing *hashing = NULL;
  doorsill_pdq pdq;
  if (doorsill_pdq_begin(workspace, size, of->width, of->height, of->format, of->ground,
                         &hashing) != DOORSILL_OK)
    abort();
  uint32_t done = 0;
  for (size_t turn = 0; done < of->height; turn++) {
    uint32_t rows = in_portions ? of->portions[turn % sizeof of->portions] : 0;
    if (rows == 0 || rows > of->height - done) rows = of->height - done;
    const uint32_t row = of->upside_down ? of->height - 1 - done : done;
    const ptrdiff_t stride = of->upside_down ? -(ptrdiff_t)of->stride : (ptrdiff_t)of->stride;
    if (doorsill_pdq_rows(hashing, of->pixels + of->stride * row, stride, rows) != DOORSILL_OK)
      abort();
    done += rows;
  }
  if (doorsill_pdq_end(hashing, &pdq) != DOORSILL_OK) abort();
  free(workspace);
  return pdq;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const kernels[] = {"portable", "avx2", "avx512", "neon"};
  static const size_t pixel_bytes[] = {
      [DOORSILL_GRAY] = 1, [DOORSILL_RGB] = 3,  [DOORSILL_RGBX] = 4,  [DOORSILL_BGRX] = 4,
      [DOORSILL_RGBA] = 4, [DOORSILL_BGRA] = 4, [DOORSILL_GRAY16] = 2};
  input from = {data, size};
  picture drawn = {.width = side(&from), .height = side(&from)};
  if ((size_t)drawn.width * drawn.height > 1 << 16)
    return 0; /* quick: thousands of small ones find more */
  drawn.format = DOORSILL_GRAY + take(&from, 1) % (DOORSILL_GRAY16 - DOORSILL_GRAY + 1);
  drawn.ground = take(&from, 1) % 4;
  drawn.upside_down = take(&from, 1) % 4 == 0;
  const size_t row = drawn.width * pixel_bytes[drawn.format];
  drawn.stride = row + take(&from, 1) % 40;
  for (size_t i = 0; i < sizeof drawn.portions; i++) drawn.portions[i] = (uint8_t)take(&from, 1);
  drawn.bytes = drawn.stride * (drawn.height - 1) + row;
  drawn.pixels = exactly(drawn.bytes);
  paint(&drawn, &from);

  if (doorsill_use_kernel("portable") != DOORSILL_OK) abort();
  const doorsill_pdq expected = hashed(&drawn, 0);
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
    if (doorsill_use_kernel(kernels[i]) != DOORSILL_OK) continue;
    const doorsill_pdq found = hashed(&drawn, 1);
    if (memcmp(&expected, &found, sizeof expected) != 0) abort();
  }
  free(drawn.pixels);
  return 0;
}
