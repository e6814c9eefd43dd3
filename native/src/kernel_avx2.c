/* The hot loops for x86 with AVX2 and FMA. 16 lanes are two vectors here. */
#include "exact.h"
#include "filter.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("avx2,fma,popcnt")))
#define INLINE TARGET static inline __attribute__((always_inline))
/* Else vectors that are named by a loop would live in memory. */
#define UNROLL _Pragma("GCC unroll 8")

/* The set bits of every byte, from a table of nibbles. */
INLINE __m256i bits(__m256i v) {
  const __m256i of = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1,
                                      2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(of, _mm256_and_si256(v, nibble));
  const __m256i high = _mm256_shuffle_epi8(of, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
  return _mm256_add_epi8(low, high);
}

/* 4 rows: the first 8 bytes of each, and the second. Their order is 0, 2, 1, 3. */
INLINE void halves(const uint8_t *rows, __m256i *first, __m256i *second) {
  const __m256i a = _mm256_loadu_si256((const __m256i *)rows);
  const __m256i b = _mm256_loadu_si256((const __m256i *)(rows + 32));
  *first = _mm256_unpacklo_epi64(a, b);
  *second = _mm256_unpackhi_epi64(a, b);
}

/* Whether any of 64 rows may be near. Where both halves differ a bit is counted once, so that one
 * count does for both; of unrelated rows one in a million gets below 32. */
INLINE int may_be_near(const uint8_t *plane, __m256i q, __m256i r, __m256i limit) {
  __m256i least = _mm256_set1_epi8(-1);
  for (uint32_t row = 0; row < 1024; row += 64) {
    __m256i first, second;
    halves(plane + row, &first, &second);
    const __m256i either = _mm256_or_si256(_mm256_xor_si256(first, q), _mm256_xor_si256(second, r));
    least = _mm256_min_epu32(least, _mm256_sad_epu8(bits(either), _mm256_setzero_si256()));
  }
  return _mm256_movemask_epi8(_mm256_cmpgt_epi64(least, limit)) != -1;
}

/* Which of 64 rows are near. */
INLINE uint64_t near_ones(const uint8_t *plane, __m256i q, __m256i r, __m256i limit) {
  uint64_t far = 0;
  for (uint32_t row = 0; row < 64; row += 4, plane += 64) {
    __m256i first, second;
    halves(plane, &first, &second);
    const __m256i bytes =
        _mm256_add_epi8(bits(_mm256_xor_si256(first, q)), bits(_mm256_xor_si256(second, r)));
    const __m256i sums =
        _mm256_permute4x64_epi64(_mm256_sad_epu8(bytes, _mm256_setzero_si256()), 0xd8);
    const int four = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(sums, limit)));
    far |= (uint64_t)(uint32_t)four << row;
  }
  return ~far;
}

/* VPSHUFB as a table of nibbles: 13 instructions for 4 rows. Hardly ever may one be near, and then
 * the block is gone through again; after a block with near rows the next one is likely to have
 * some, and is gone through at once. */
TARGET static int near_rows(const uint8_t *plane, size_t blocks, const doorsill_queries *queries,
                            uint64_t *masks) {
  const __m256i limit = _mm256_set1_epi64x((long long)queries->radius);
  uint64_t any = 0;
  for (size_t query = 0; query < queries->count; query++, masks += blocks) {
    uint64_t q[2];
    memcpy(q, queries->hashes + queries->stride * query, sizeof q);
    const __m256i a = _mm256_set1_epi64x((long long)q[0]), b = _mm256_set1_epi64x((long long)q[1]);
    for (size_t block = 0; block < blocks; block++) {
      const uint8_t *rows = plane + 1024 * block;
      masks[block] = (block && masks[block - 1]) || may_be_near(rows, a, b, limit)
                         ? near_ones(rows, a, b, limit)
                         : 0;
      any |= masks[block];
    }
  }
  return any != 0;
}

TARGET static size_t confirm(const uint8_t *const *planes, size_t count, const uint8_t *query,
                             uint32_t radius, doorsill_near *rows, size_t n) {
  return doorsill_confirm(planes, count, query, radius, rows, n);
}

/* Thousandths / 1000, to the nearest float. 1 / 1000 is given to twice the precision of a float,
 * so only the last rounding counts; luma.c says why that is enough. */
INLINE __m256 thousandths(__m256i n) {
  const __m256 v = _mm256_cvtepi32_ps(n);
  return _mm256_fmadd_ps(v, _mm256_set1_ps(0x1.0624dep-10f),
                         _mm256_mul_ps(v, _mm256_set1_ps(-0x1.a1cacp-35f)));
}

/* 8 pixels of 4 bytes: the outer colours and green as pairs of 16 bits. */
INLINE __m256 weigh(__m256i v, int first, int last) {
  const __m256i outer = _mm256_and_si256(v, _mm256_set1_epi32(0x00ff00ff));
  const __m256i green = _mm256_and_si256(_mm256_srli_epi32(v, 8), _mm256_set1_epi32(0xff));
  return thousandths(
      _mm256_add_epi32(_mm256_madd_epi16(outer, _mm256_set1_epi32(last * 65536 + first)),
                       _mm256_madd_epi16(green, _mm256_set1_epi32(587))));
}

/* 8 pixels of 3 bytes, spread to 4. Reads 28 bytes, so many of them before the first pixel: 0, or 4
 * where there are no more behind the last. */
INLINE __m256i spread(const uint8_t *p, char before) {
  const __m256i at = _mm256_setr_epi8(0, 1, 2, -128, 3, 4, 5, -128, 6, 7, 8, -128, 9, 10, 11, -128,
                                      0, 1, 2, -128, 3, 4, 5, -128, 6, 7, 8, -128, 9, 10, 11, -128);
  const __m128i low = _mm_loadu_si128((const __m128i *)(p - before));
  const __m128i high = _mm_loadu_si128((const __m128i *)(p + 12 - before));
  return _mm256_shuffle_epi8(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1),
                             _mm256_add_epi8(at, _mm256_set1_epi8(before)));
}

INLINE int opaque(__m256i v) {
  return _mm256_movemask_epi8(_mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(-1)),
                                              _mm256_set1_epi32(0x00ffffff))) == -1;
}

/* VPMADDWD on pairs of 16 bits: 12 instructions for 8 pixels. The memory is the bottleneck. What
 * is not opaque, and the end of a row, takes the portable way. */
TARGET static void luma(const uint8_t *p, size_t n, uint32_t format, uint32_t ground, float *out) {
  const size_t step = doorsill_pixel_bytes(format);
  const int bgr = format == DOORSILL_BGRX || format == DOORSILL_BGRA;
  const int has_alpha = format == DOORSILL_RGBA || format == DOORSILL_BGRA;
  const int first = bgr ? 114 : 299, last = bgr ? 299 : 114;
  size_t i = 0;
  if (format == DOORSILL_RGB) {
    for (; i + 10 <= n; i += 8) _mm256_storeu_ps(out + i, weigh(spread(p + 3 * i, 0), 299, 114));
    if (i && i + 8 <= n) {
      _mm256_storeu_ps(out + i, weigh(spread(p + 3 * i, 4), 299, 114));
      i += 8;
    }
  } else if (step == 4)
    for (; i + 8 <= n; i += 8) {
      const __m256i v = _mm256_loadu_si256((const __m256i *)(p + 4 * i));
      if (has_alpha && !opaque(v))
        doorsill_luma_full(p + 4 * i, 8, format, ground, out + i);
      else
        _mm256_storeu_ps(out + i, weigh(v, first, last));
    }
  else if (format == DOORSILL_GRAY)
    for (; i + 8 <= n; i += 8)
      _mm256_storeu_ps(
          out + i,
          _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p + i)))));
  doorsill_luma_full(p + step * i, n - i, format, ground, out + i);
}

TARGET static void sampled(const uint8_t *row, const uint32_t *at, size_t n, int bgr, float *out) {
  doorsill_sampled(row, at, n, bgr, out);
}

/* 8 vectors of 8, transposed: 24 shuffles. */
INLINE void turn(__m256 v[8]) {
  UNROLL for (int i = 0; i < 8; i += 4) {
    const __m256 a = _mm256_unpacklo_ps(v[i], v[i + 1]), b = _mm256_unpackhi_ps(v[i], v[i + 1]);
    const __m256 c = _mm256_unpacklo_ps(v[i + 2], v[i + 3]);
    const __m256 d = _mm256_unpackhi_ps(v[i + 2], v[i + 3]);
    v[i] = _mm256_shuffle_ps(a, c, 0x44);
    v[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
    v[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
    v[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
  }
  UNROLL for (int i = 0; i < 4; i++) {
    const __m256 low = _mm256_permute2f128_ps(v[i], v[i + 4], 0x20);
    v[i + 4] = _mm256_permute2f128_ps(v[i], v[i + 4], 0x31);
    v[i] = low;
  }
}

/* 24 shuffles for 64 values, which are the bottleneck. */
TARGET static void columns(const float *rows, size_t pitch, size_t n, float *x) {
  for (size_t i = 0; i < n; i += 8, x += 8 * DOORSILL_LANES)
    for (size_t half = 0; half < 16; half += 8) {
      __m256 v[8];
      UNROLL for (size_t k = 0; k < 8; k++) v[k] = _mm256_loadu_ps(rows + pitch * (half + k) + i);
      turn(v);
      UNROLL for (size_t k = 0; k < 8; k++) _mm256_storeu_ps(x + DOORSILL_LANES * k + half, v[k]);
    }
}

/* s / c for a whole c up to 512, rounded as a division: a guess, and a step from its remainder.
 * Right for all s, which test_kernels.c samples and `test_kernels all` goes through. */
INLINE __m256 divide(__m256 s, __m256 c, __m256 inverse) {
  const __m256 guess = _mm256_mul_ps(s, inverse);
  return _mm256_fmadd_ps(_mm256_fnmadd_ps(guess, c, s), inverse, guess);
}

INLINE __m256 column_lane(const doorsill_band *band, size_t column, size_t lane, __m256 *sum,
                          __m256 v) {
  float *ring = band->ring[lane] + column;
  *sum = _mm256_sub_ps(_mm256_add_ps(*sum, v), _mm256_loadu_ps(ring));
  _mm256_storeu_ps(ring, v);
  return divide(*sum, _mm256_set1_ps(band->count[lane]), _mm256_set1_ps(band->inverse[lane]));
}

/* About 18 instructions for 8 values, 6 of them shuffles; three chains of dependent sums run side
 * by side. The shuffles are the bottleneck. */
TARGET static void box(const doorsill_band *band, size_t column, size_t n, size_t window,
                       const float *x, const float *count, const float *inverse, float sum[16],
                       float *second, float second_sum[16]) {
  __m256 s[2], t[2];
  memcpy(s, sum, sizeof s);
  memcpy(t, second_sum, sizeof t);
  for (size_t i = 0; i < n; i += 8, column += 8, x += 128, second += 128) {
    __m256 c = _mm256_loadu_ps(band->sums + column);
    UNROLL for (size_t half = 0; half < 2; half++) {
      const float *in = x + 8 * half;
      float *to = second + 8 * half;
      __m256 v[8];
      UNROLL for (size_t k = 0; k < 8; k++) {
        s[half] = _mm256_add_ps(s[half], _mm256_loadu_ps(in + 16 * (k + window)));
        s[half] = _mm256_sub_ps(s[half], _mm256_loadu_ps(in + 16 * k));
        v[k] = divide(s[half], _mm256_set1_ps(count[i + k]), _mm256_set1_ps(inverse[i + k]));
      }
      turn(v);
      UNROLL for (size_t k = 0; k < 8; k++) v[k] =
          8 * half + k < band->rows ? column_lane(band, column, 8 * half + k, &c, v[k])
                                    : _mm256_setzero_ps();
      turn(v);
      UNROLL for (size_t k = 0; k < 8; k++) {
        t[half] = _mm256_add_ps(t[half], v[k]);
        t[half] = _mm256_sub_ps(t[half], _mm256_loadu_ps(to + 16 * k));
        _mm256_storeu_ps(to + 16 * (k + window), v[k]);
        _mm256_storeu_ps(to + 16 * k, t[half]);
      }
    }
    _mm256_storeu_ps(band->sums + column, c);
  }
  memcpy(sum, s, sizeof s);
  memcpy(second_sum, t, sizeof t);
}

const doorsill_kernels *doorsill_kernels_avx2(void) {
  static const doorsill_kernels kernels = {"avx2", near_rows, confirm, luma, sampled, columns, box};
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernels : NULL;
}
#else
const doorsill_kernels *doorsill_kernels_avx2(void) { return NULL; }
#endif
