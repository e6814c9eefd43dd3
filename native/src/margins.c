/* How certain the bits of a hash are. A bit tells whether a coefficient lies above the median, so
 * how far it lies from it tells how likely another reading of the same picture has another bit. */
#include <string.h>

#include "exact.h"
#include "filter.h"

enum {
  SIDE = 16,
  RINGS = 11,            /* the 11 x 11 lowest frequencies: they stay together when transposed */
  STEPS = 19,            /* mantissa bits that are dropped: 4 are kept, 16 steps an octave */
  LEAST = (127 - 2) * 16 /* the code of 2^-2 before it is moved to 0 */
};

/* A distance's exponent and the four highest bits of its mantissa: the same on every processor. */
static uint8_t coded(float distance) {
  uint32_t bits;
  memcpy(&bits, &distance, sizeof bits);
  bits = (bits & 0x7fffffffu) >> STEPS;
  if (bits <= LEAST) return 0;
  return (uint8_t)(bits - LEAST > 255 ? 255 : bits - LEAST);
}

/* The place of a coefficient among the lowest: ring by ring of max(row, column), as in the planes
 * of a list. */
static uint32_t place(uint32_t row, uint32_t column) {
  return row < column ? column * column + row : row * row + row + column;
}

void doorsill_dct_margins(const float *grid, uint8_t sets[4][DOORSILL_MARGINS]) {
  float c[SIDE * SIDE], turned[SIDE * SIDE];
  doorsill_coefficients(grid, c);
  for (uint32_t set = 0; set < 4; set++) {
    /* Which rows and columns of coefficients a flip negates: those with an even index stand for
     * odd frequencies. Bit 0 of the set is a flip of columns, bit 1 of rows. */
    for (uint32_t i = 0; i < SIDE; i++)
      for (uint32_t j = 0; j < SIDE; j++) {
        const uint32_t odd = ((set >> 1) & ~i) ^ (set & ~j);
        turned[SIDE * i + j] = odd & 1 ? -c[SIDE * i + j] : c[SIDE * i + j];
      }
    const float median = doorsill_lower_median(turned);
    for (uint32_t i = 0; i < RINGS; i++)
      for (uint32_t j = 0; j < RINGS; j++)
        sets[set][place(i, j)] = coded(turned[SIDE * i + j] - median);
  }
  doorsill_wipe(c, sizeof c); /* a thumbnail, as the grid is */
  doorsill_wipe(turned, sizeof turned);
}

doorsill_status doorsill_margins_turned(const doorsill_margins *margins, uint32_t profile,
                                        uint32_t orientation, uint8_t turned[121]) {
  /* By orientation: the set of signs, and whether it is transposed (dct.c). */
  static const uint8_t set_of[DOORSILL_ORIENTATIONS] = {0, 1, 3, 2, 2, 1, 0, 3};
  static const uint8_t transposed[DOORSILL_ORIENTATIONS] = {0, 1, 0, 1, 0, 0, 1, 1};
  if (!margins || !turned || profile >= DOORSILL_PROFILES || orientation >= DOORSILL_ORIENTATIONS)
    return DOORSILL_BAD_ARGUMENT;
  const uint8_t *set = margins->sets[profile][set_of[orientation]];
  for (uint32_t i = 0; i < RINGS; i++)
    for (uint32_t j = 0; j < RINGS; j++)
      turned[transposed[orientation] ? place(j, i) : place(i, j)] = set[place(i, j)];
  return DOORSILL_OK;
}
