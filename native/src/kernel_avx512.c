/* The hot loops for x86 with AVX-512 as of Ice Lake and Zen 4. */
#include "exact.h"
#include "filter.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,avx512vpopcntdq,fma")))
/* Else vectors that are named by a loop would live in memory. */
#define UNROLL _Pragma("GCC unroll 16")
#define INLINE TARGET static inline __attribute__((always_inline))

enum { AHEAD = 4096 };

/* How far 8 rows are, those of the second vector between those of the first. */
INLINE __m512i distances(const uint8_t *rows, __m512i q) {
  const __m512i a = _mm512_popcnt_epi64(_mm512_xor_si512(q, _mm512_loadu_si512(rows)));
  const __m512i b = _mm512_popcnt_epi64(_mm512_xor_si512(q, _mm512_loadu_si512(rows + 64)));
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/* Which of 64 rows are near. */
TARGET static uint64_t near_ones(const uint8_t *plane, __m512i q, uint32_t radius) {
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const __m512i limit = _mm512_set1_epi64((long long)radius);
  uint64_t mask = 0;
  for (uint32_t row = 0; row < 64; row += 8, plane += 128) {
    const __m512i bits = _mm512_permutexvar_epi64(order, distances(plane, q));
    mask |= (uint64_t)_mm512_cmple_epu64_mask(bits, limit) << row;
  }
  return mask;
}

/* AVX-512 VPOPCNTQ: 8 instructions for 8 rows, of which only the nearest of a block matters:
 * hardly ever is one near, and then the block is gone through again. */
TARGET static void near_rows(const uint8_t *plane, size_t blocks, const uint8_t query[16],
                             uint32_t radius, uint64_t *masks) {
  const __m512i q = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)query));
  const __m512i limit = _mm512_set1_epi64((long long)radius);
  for (size_t block = 0; block < blocks; block++, plane += 1024) {
    __m512i nearest = _mm512_set1_epi64(-1);
    UNROLL for (uint32_t row = 0; row < 1024; row += 128) {
      /* The processor's own prefetching stops at the end of a page. Measured: 0.49 to 0.43 ms for a
       * million rows that are not in the cache. Prefetching beyond the plane does no harm. */
      _mm_prefetch((const char *)plane + row + AHEAD, _MM_HINT_T0);
      _mm_prefetch((const char *)plane + row + AHEAD + 64, _MM_HINT_T0);
      nearest = _mm512_min_epu64(nearest, distances(plane + row, q));
    }
    masks[block] = _mm512_cmple_epu64_mask(nearest, limit) ? near_ones(plane, q, radius) : 0;
  }
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
  static const doorsill_kernels kernels = {"avx512", near_rows, luma, columns, box};
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
                 __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("fma")
             ? &kernels
             : NULL;
}
#else
const doorsill_kernels *doorsill_kernels_avx512(void) { return NULL; }
#endif
