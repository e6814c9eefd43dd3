/* The hot loops for x86 with AVX-512 as of Ice Lake and Zen 4. */
#include "exact.h"
#include "filter.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <string.h>

#define TARGET \
  __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vpopcntdq,fma,popcnt,bmi2")))
/* Else vectors that are named by a loop would live in memory. */
#define UNROLL _Pragma("GCC unroll 16")
#define INLINE TARGET static inline __attribute__((always_inline))

enum { AHEAD = 4096 };

/* 64 rows in 16 vectors: the first 8 bytes of each, and the second. Vector k has rows 4 k to 4 k +
 * 3 and, each behind one of those, rows 32 + 4 k to 32 + 4 k + 3. */
INLINE void halves(const uint8_t *rows, __m512i first[8], __m512i second[8]) {
  UNROLL for (size_t k = 0; k < 8; k++) {
    const __m512i a = _mm512_loadu_si512(rows + 64 * k);
    const __m512i b = _mm512_loadu_si512(rows + 512 + 64 * k);
    first[k] = _mm512_unpacklo_epi64(a, b);
    second[k] = _mm512_unpackhi_epi64(a, b);
  }
}

/* Whether any of the rows may be near. Where both halves differ a bit is counted once, so that one
 * count does for both; of unrelated rows one in a million gets below 32. */
INLINE int may_be_near(const __m512i first[8], const __m512i second[8], __m512i q, __m512i r,
                       __m512i limit) {
  __m512i least = _mm512_set1_epi64(-1);
  UNROLL for (size_t k = 0; k < 8; k++) {
    const __m512i either = /* first ^ q, or second ^ r */
        _mm512_ternarylogic_epi64(_mm512_xor_si512(first[k], q), second[k], r, 0xf6);
    least = _mm512_min_epu64(least, _mm512_popcnt_epi64(either));
  }
  return _mm512_cmple_epu64_mask(least, limit) != 0;
}

/* Which of the rows are near. */
INLINE uint64_t near_ones(const __m512i first[8], const __m512i second[8], __m512i q, __m512i r,
                          __m512i limit) {
  uint64_t mask = 0;
  UNROLL for (size_t k = 0; k < 8; k++) {
    const __m512i bits = _mm512_add_epi64(_mm512_popcnt_epi64(_mm512_xor_si512(first[k], q)),
                                          _mm512_popcnt_epi64(_mm512_xor_si512(second[k], r)));
    mask |= (uint64_t)_mm512_cmple_epu64_mask(bits, limit) << 8 * k;
  }
  return _pext_u64(mask, 0x5555555555555555u) | _pext_u64(mask, 0xaaaaaaaaaaaaaaaau) << 32;
}

/* AVX-512 VPOPCNTQ: 6 instructions for 8 rows and a query, 4 for each further query, which find the
 * rows in registers. Hardly ever may one be near, and then the block is gone through again; after a
 * block with near rows the next one is likely to have some, and is gone through at once. */
TARGET static int near_rows(const uint8_t *plane, size_t blocks, const doorsill_queries *queries,
                            uint64_t *masks) {
  const __m512i limit = _mm512_set1_epi64((long long)queries->radius);
  uint64_t any = 0;
  for (size_t block = 0; block < blocks; block++, plane += 1024) {
    /* The processor's own prefetching stops at the end of a page. Measured: 0.49 to 0.43 ms for a
     * million rows that are not in the cache. Prefetching beyond the plane does no harm. */
    UNROLL for (size_t line = 0; line < 1024; line += 64)
        _mm_prefetch((const char *)plane + line + AHEAD, _MM_HINT_T0);
    __m512i first[8], second[8];
    halves(plane, first, second);
    const uint8_t *hash = queries->hashes;
    for (size_t at = block; at < blocks * queries->count; at += blocks, hash += queries->stride) {
      uint64_t q[2];
      memcpy(q, hash, sizeof q);
      const __m512i a = _mm512_set1_epi64((long long)q[0]), b = _mm512_set1_epi64((long long)q[1]);
      masks[at] = (block && masks[at - 1]) || may_be_near(first, second, a, b, limit)
                      ? near_ones(first, second, a, b, limit)
                      : 0;
      any |= masks[at];
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
INLINE __m512 thousandths(__m512i n) {
  const __m512 v = _mm512_cvtepi32_ps(n);
  return _mm512_fmadd_ps(v, _mm512_set1_ps(0x1.0624dep-10f),
                         _mm512_mul_ps(v, _mm512_set1_ps(-0x1.a1cacp-35f)));
}

/* 16 bit halves of each pixel: what = first * weights' low + second * its high half. */
INLINE __m512 weigh(__m512i outer, __m512i green, int first, int last) {
  return thousandths(
      _mm512_add_epi32(_mm512_madd_epi16(outer, _mm512_set1_epi32(last * 65536 + first)),
                       _mm512_madd_epi16(green, _mm512_set1_epi32(587))));
}

/* Halves: colour * alpha + ground * (255 - alpha), / 255 to the nearest, exactly. */
INLINE __m512i over(__m512i colour, __m512i alpha, __m512i ground) {
  const __m512i rest = _mm512_sub_epi16(_mm512_set1_epi16(255), alpha);
  const __m512i sum = _mm512_add_epi16(
      _mm512_add_epi16(_mm512_mullo_epi16(colour, alpha), _mm512_mullo_epi16(ground, rest)),
      _mm512_set1_epi16(127));
  return _mm512_srli_epi16(_mm512_mulhi_epu16(sum, _mm512_set1_epi16((short)0x8081)), 7);
}

INLINE __m512 luma_rgb(__m512i v) {
  const __m512i at =
      _mm512_setr_epi32(0x00020000, 0x00050003, 0x00080006, 0x000b0009, 0x000e000c, 0x0011000f,
                        0x00140012, 0x00170015, 0x001a0018, 0x001d001b, 0x0020001e, 0x00230021,
                        0x00260024, 0x00290027, 0x002c002a, 0x002f002d);
  const __m512i green_at = _mm512_add_epi32(at, _mm512_set1_epi32(1));
  return weigh(_mm512_maskz_permutexvar_epi8(0x5555555555555555u, at, v),
               _mm512_maskz_permutexvar_epi8(0x1111111111111111u, green_at, v), 299, 114);
}

INLINE __m512 luma_four(__m512i v, int first, int last, int has_alpha, uint32_t ground) {
  __m512i outer = _mm512_and_si512(v, _mm512_set1_epi32(0x00ff00ff));
  __m512i green = _mm512_and_si512(_mm512_srli_epi32(v, 8), _mm512_set1_epi32(0xff));
  const __m512i a = _mm512_srli_epi32(v, 24);
  if (has_alpha && _mm512_cmpneq_epi32_mask(a, _mm512_set1_epi32(255))) {
    const __m512i both = _mm512_or_si512(a, _mm512_slli_epi32(a, 16));
    const __m512i behind = _mm512_set1_epi16((short)doorsill_level(ground));
    outer = over(outer, both, behind);
    green = _mm512_and_si512(over(green, a, behind), _mm512_set1_epi32(0xff));
  }
  return weigh(outer, green, first, last);
}

/* 16 pixels, those of them that `bytes` holds. */
INLINE __m512 luma16(const uint8_t *p, __mmask64 bytes, uint32_t format, uint32_t ground) {
  const __m512i v = _mm512_maskz_loadu_epi8(bytes, p);
  const int bgr = format == DOORSILL_BGRX || format == DOORSILL_BGRA;
  const int has_alpha = format == DOORSILL_RGBA || format == DOORSILL_BGRA;
  if (format == DOORSILL_RGB) return luma_rgb(v);
  if (format == DOORSILL_GRAY)
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm512_castsi512_si128(v)));
  return luma_four(v, bgr ? 114 : 299, bgr ? 299 : 114, has_alpha, ground);
}

INLINE void luma_row(const uint8_t *p, size_t n, uint32_t format, size_t step, uint32_t ground,
                     float *out) {
  const __mmask64 all = ~(__mmask64)0 >> (64 - 16 * step);
  size_t i = 0;
  for (; i + 16 <= n; i += 16) _mm512_storeu_ps(out + i, luma16(p + i * step, all, format, ground));
  if (i < n)
    _mm512_mask_storeu_ps(
        out + i, (__mmask16)(0xffffu >> (16 - (n - i))),
        luma16(p + i * step, ~(__mmask64)0 >> (64 - (n - i) * step), format, ground));
}

/* AVX-512 VBMI, pixels to 16 bit pairs and VPMADDWD; 10 instructions for 16 pixels of RGB.
 * The memory is the bottleneck. */
TARGET static void luma(const uint8_t *p, size_t n, uint32_t format, uint32_t ground, float *out) {
  switch (format) {
    case DOORSILL_GRAY:
      luma_row(p, n, DOORSILL_GRAY, 1, ground, out);
      break;
    case DOORSILL_RGB:
      luma_row(p, n, DOORSILL_RGB, 3, ground, out);
      break;
    case DOORSILL_RGBX:
      luma_row(p, n, DOORSILL_RGBX, 4, ground, out);
      break;
    case DOORSILL_GRAY16:
      doorsill_luma_full(p, n, format, ground, out);
      break;
    default:
      luma_row(p, n, format, 4, ground, out);
  }
}

TARGET static void sampled(const uint8_t *row, const uint32_t *at, size_t n, int bgr, float *out) {
  doorsill_sampled(row, at, n, bgr, out);
}

/* The four by four blocks of 128 bits, transposed. */
INLINE void turn_blocks(__m512 v[16]) {
  UNROLL for (int i = 0; i < 4; i++) {
    const __m512 a = _mm512_shuffle_f32x4(v[i], v[i + 4], 0x88);
    const __m512 b = _mm512_shuffle_f32x4(v[i], v[i + 4], 0xdd);
    const __m512 c = _mm512_shuffle_f32x4(v[i + 8], v[i + 12], 0x88);
    const __m512 d = _mm512_shuffle_f32x4(v[i + 8], v[i + 12], 0xdd);
    v[i] = _mm512_shuffle_f32x4(a, c, 0x88);
    v[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
    v[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
    v[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
}

/* 16 vectors of 16, transposed: 64 shuffles. */
INLINE void turn(__m512 v[16]) {
  UNROLL for (int i = 0; i < 16; i += 4) {
    const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(v[i], v[i + 1]));
    const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(v[i], v[i + 1]));
    const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(v[i + 2], v[i + 3]));
    const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(v[i + 2], v[i + 3]));
    v[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    v[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    v[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    v[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
  }
  turn_blocks(v);
}

/* 64 shuffles for 256 values, which are the bottleneck. */
TARGET static void columns(const float *rows, size_t pitch, size_t n, float *x) {
  for (size_t i = 0; i < n; i += 16, x += 256) {
    __m512 v[16];
    UNROLL for (size_t k = 0; k < 16; k++) v[k] = _mm512_loadu_ps(rows + pitch * k + i);
    turn(v);
    UNROLL for (size_t k = 0; k < 16; k++) _mm512_storeu_ps(x + 16 * k, v[k]);
  }
}

/* s / c for a whole c up to 512, rounded as a division: a guess, and a step from its remainder.
 * Right for all s, which test_kernels.c samples and `test_kernels all` goes through. */
INLINE __m512 divide(__m512 s, __m512 c, __m512 inverse) {
  const __m512 guess = _mm512_mul_ps(s, inverse);
  return _mm512_fmadd_ps(_mm512_fnmadd_ps(guess, c, s), inverse, guess);
}

INLINE void column_lane(const doorsill_band *band, size_t column, size_t lane, __m512 *sum,
                        __m512 *v) {
  float *ring = band->ring[lane] + column;
  *sum = _mm512_sub_ps(_mm512_add_ps(*sum, *v), _mm512_loadu_ps(ring));
  _mm512_storeu_ps(ring, *v);
  *v = divide(*sum, _mm512_set1_ps(band->count[lane]), _mm512_set1_ps(band->inverse[lane]));
}

/* About 20 instructions for 16 values, 8 of them shuffles; three chains of dependent sums run side
 * by side. The shuffles are the bottleneck, and for wide pictures the ring in the second cache. */
TARGET static void box(const doorsill_band *band, size_t column, size_t n, size_t window,
                       const float *x, const float *count, const float *inverse, float sum[16],
                       float *second, float second_sum[16]) {
  __m512 s = _mm512_loadu_ps(sum), t = _mm512_loadu_ps(second_sum);
  for (size_t i = 0; i < n; i += 16, column += 16, x += 256, second += 256) {
    __m512 v[16];
    UNROLL for (size_t k = 0; k < 16; k++) {
      s = _mm512_add_ps(s, _mm512_loadu_ps(x + 16 * (k + window)));
      s = _mm512_sub_ps(s, _mm512_loadu_ps(x + 16 * k));
      v[k] = divide(s, _mm512_set1_ps(count[i + k]), _mm512_set1_ps(inverse[i + k]));
    }
    turn(v);
    __m512 c = _mm512_loadu_ps(band->sums + column);
    if (band->rows == 16)
      UNROLL for (size_t lane = 0; lane < 16; lane++) column_lane(band, column, lane, &c, &v[lane]);
    else
      UNROLL for (size_t lane = 0; lane < 16; lane++) if (lane < band->rows)
          column_lane(band, column, lane, &c, &v[lane]);
    else v[lane] = _mm512_setzero_ps();
    _mm512_storeu_ps(band->sums + column, c);
    turn(v);
    UNROLL for (size_t k = 0; k < 16; k++) {
      t = _mm512_sub_ps(_mm512_add_ps(t, v[k]), _mm512_loadu_ps(second + 16 * k));
      _mm512_storeu_ps(second + 16 * (k + window), v[k]);
      _mm512_storeu_ps(second + 16 * k, t);
    }
  }
  _mm512_storeu_ps(sum, s);
  _mm512_storeu_ps(second_sum, t);
}

const doorsill_kernels *doorsill_kernels_avx512(void) {
  static const doorsill_kernels kernels = {"avx512", near_rows, confirm, luma,
                                           sampled,  columns,   box};
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
                 __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("fma") &&
                 __builtin_cpu_supports("bmi2")
             ? &kernels
             : NULL;
}
#else
const doorsill_kernels *doorsill_kernels_avx512(void) { return NULL; }
#endif
