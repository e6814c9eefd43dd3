/* The reduced picture to its hashes: a cosine transform of which the 16x16 lowest frequencies
 * but the constant ones are kept, and one bit for each: above the median or not. */
#include <string.h>

#include "exact.h"
#include "filter.h"

enum { SIDE = 16, COEFFICIENTS = SIDE * SIDE };

/* sqrt(2/64) * cos(pi * k / 128), in double and then rounded. */
static const float quarter_wave[DOORSILL_GRID] = {
    0.176776692f,  0.17672345f,   0.176563755f,   0.176297709f,  0.175925463f,  0.175447255f,
    0.174863353f,  0.17417413f,   0.173379973f,   0.172481388f,  0.171478912f,  0.170373142f,
    0.169164747f,  0.167854458f,  0.16644305f,    0.164931387f,  0.163320363f,  0.161610976f,
    0.15980424f,   0.157901242f,  0.155903131f,   0.153811097f,  0.151626423f,  0.14935042f,
    0.146984443f,  0.144529939f,  0.141988367f,   0.139361277f,  0.136650234f,  0.133856878f,
    0.130982891f,  0.128030002f,  0.125f,         0.121894695f,  0.118715972f,  0.115465738f,
    0.112145945f,  0.108758606f,  0.105305754f,   0.101789467f,  0.0982118696f, 0.0945751071f,
    0.0908813849f, 0.0871329084f, 0.0833319575f,  0.0794808045f, 0.0755817741f, 0.0716372207f,
    0.0676495135f, 0.0636210516f, 0.0595542751f,  0.0554516204f, 0.0513155647f, 0.0471486002f,
    0.0429532342f, 0.0387319922f, 0.0344874226f,  0.0302220769f, 0.0259385277f, 0.0216393545f,
    0.0173271466f, 0.0130045004f, 0.00867402088f, 0.00433831709f};

/* Row i, column j of the transform: cos(pi * (i + 1) * (2j + 1) / 128), from a quarter wave. It is
 * never the quarter itself, where the wave is 0: (i + 1)(2j + 1) is no multiple of 64. */
static float wave(uint32_t i, uint32_t j) {
  const uint32_t k = (i + 1) * (2 * j + 1) % 256;
  const uint32_t folded = k > 128 ? 256 - k : k;
  return folded > 64 ? -quarter_wave[128 - folded] : quarter_wave[folded];
}

/* c = D a D', each sum in ascending order. Lanes are neighbouring outputs. */
void doorsill_coefficients(const float *restrict a, float *restrict c) {
  float d[SIDE][DOORSILL_GRID], turned[DOORSILL_GRID][SIDE];
  for (uint32_t i = 0; i < SIDE; i++)
    for (uint32_t j = 0; j < DOORSILL_GRID; j++) turned[j][i] = d[i][j] = wave(i, j);
  float t[DOORSILL_GRID];
  memset(c, 0, sizeof *c * COEFFICIENTS);
  for (uint32_t i = 0; i < SIDE; i++, c += SIDE) {
    memset(t, 0, sizeof t);
    for (uint32_t k = 0; k < DOORSILL_GRID; k++)
      for (uint32_t j = 0; j < DOORSILL_GRID; j++) t[j] += d[i][k] * a[DOORSILL_GRID * k + j];
    for (uint32_t k = 0; k < DOORSILL_GRID; k++)
      for (uint32_t j = 0; j < SIDE; j++) c[j] += t[k] * turned[k][j];
  }
  doorsill_wipe(t, sizeof t); /* what is left of the last row */
}

/* The 128th smallest of the 256. Floats are compared as integers of the same order, which are
 * then found bit by bit. */
float doorsill_lower_median(const float *c) {
  uint32_t key[COEFFICIENTS];
  for (uint32_t i = 0; i < COEFFICIENTS; i++) {
    const float v = c[i] + 0.0f; /* -0 becomes 0: they are equal */
    memcpy(&key[i], &v, sizeof v);
    key[i] = key[i] >> 31 ? ~key[i] : key[i] | 0x80000000u;
  }
  uint32_t found = 0;
  for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
    uint32_t below = 0;
    for (uint32_t i = 0; i < COEFFICIENTS; i++) below += key[i] < (found | bit);
    if (below < COEFFICIENTS / 2) found |= bit;
  }
  doorsill_wipe(key, sizeof key); /* a thumbnail, as the coefficients are */
  found = found >> 31 ? found & 0x7fffffffu : ~found;
  float v;
  memcpy(&v, &found, sizeof v);
  return v;
}

/* Bit 16 * i + j of a hash lies at this place of its 32 bytes: the reference prints its words,
 * the last one first. */
static void set_bit(uint8_t hash[DOORSILL_PDQ_BYTES], uint32_t bit) {
  hash[DOORSILL_PDQ_BYTES - 1 - bit / 8] |= (uint8_t)(1u << bit % 8);
}

/* The hash of coefficients with their signs changed by `odd_i` and `odd_j`, which say how the
 * sign depends on the row and the column, and the hash of the same transposed. */
static void hash_signed(const float *c, const int sign_i[2], const int sign_j[2], uint8_t *straight,
                        uint8_t *transposed) {
  float turned[COEFFICIENTS];
  for (uint32_t i = 0; i < SIDE; i++)
    for (uint32_t j = 0; j < SIDE; j++) {
      const float v = c[SIDE * i + j];
      turned[SIDE * i + j] = sign_i[i % 2] * sign_j[j % 2] < 0 ? -v : v;
    }
  const float median = doorsill_lower_median(turned);
  memset(straight, 0, DOORSILL_PDQ_BYTES);
  memset(transposed, 0, DOORSILL_PDQ_BYTES);
  for (uint32_t i = 0; i < SIDE; i++)
    for (uint32_t j = 0; j < SIDE; j++)
      if (turned[SIDE * i + j] > median) {
        set_bit(straight, SIDE * i + j);
        set_bit(transposed, SIDE * j + i);
      }
  doorsill_wipe(turned, sizeof turned);
}

/* The steps from n values to others, small ones rounded away. */
static int32_t steps(const float *from, const float *to, uint32_t n) {
  int32_t total = 0;
  for (uint32_t k = 0; k < n; k++) {
    const int32_t step = (int32_t)((from[k] - to[k]) * 100.0f / 255.0f);
    total += step < 0 ? -step : step;
  }
  return total;
}

/* How much detail there is: the steps between neighbours. */
static uint8_t quality_of(const float *a) {
  int32_t total = 0;
  for (uint32_t i = 0; i < DOORSILL_GRID; i++, a += DOORSILL_GRID) {
    total += steps(a, a + 1, DOORSILL_GRID - 1);
    if (i + 1 < DOORSILL_GRID) total += steps(a, a + DOORSILL_GRID, DOORSILL_GRID);
  }
  return (uint8_t)(total / 90 > 100 ? 100 : total / 90);
}

void doorsill_dct(const float *grid, uint8_t hash[8][32], uint8_t *quality) {
  /* Mirroring a picture turns the sign of every second frequency, a quarter turn is a mirroring
   * and a transposition: four sets of signs make the eight orientations. */
  static const int same[2] = {1, 1}, even[2] = {-1, 1}, odd[2] = {1, -1};
  float c[COEFFICIENTS];
  doorsill_coefficients(grid, c);
  hash_signed(c, same, same, hash[0], hash[6]);
  hash_signed(c, same, even, hash[5], hash[1]);
  hash_signed(c, odd, odd, hash[2], hash[7]);
  hash_signed(c, even, same, hash[4], hash[3]);
  doorsill_wipe(c, sizeof c);
  *quality = quality_of(grid);
}
