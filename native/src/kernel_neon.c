/* The hot loops for 64-bit ARM, where every processor has NEON and fused multiply-add. 16 lanes
 * are four vectors here. Not timed yet: under qemu they take a third to a quarter of the portable
 * kernel's instructions. */
#include "exact.h"
#include "filter.h"

#if defined(__aarch64__) && defined(__GNUC__)
#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))
/* Else vectors that are named by a loop would live in memory. */
#define UNROLL _Pragma("GCC unroll 8")

/* CNT counts the bits of 16 bytes: 5 instructions for a row, which are the bottleneck. */
static uint64_t near_one(const uint8_t *plane, size_t blocks, const uint8_t query[16],
                         uint32_t radius, uint64_t *masks) {
  uint64_t any = 0;
  static const uint16_t weights[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t q = vld1q_u8(query);
  const uint16x8_t limit = vdupq_n_u16(radius < 128 ? (uint16_t)radius : 128);
  const uint16x8_t weight = vld1q_u16(weights);
  for (size_t block = 0; block < blocks; block++) {
    uint64_t mask = 0;
    for (uint32_t row = 0; row < 64; row += 8, plane += 128) {
      uint8x16_t v[8];
      UNROLL for (size_t k = 0; k < 8; k++) v[k] = vcntq_u8(veorq_u8(q, vld1q_u8(plane + 16 * k)));
      /* Neighbours are added until 8 sums of 16 bytes are left. A sum is at most 128. */
      UNROLL for (size_t k = 0; k < 4; k++) v[k] = vpaddq_u8(v[2 * k], v[2 * k + 1]);
      UNROLL for (size_t k = 0; k < 2; k++) v[k] = vpaddq_u8(v[2 * k], v[2 * k + 1]);
      const uint16x8_t bits = vpaddlq_u8(vpaddq_u8(v[0], v[1]));
      mask |= (uint64_t)vaddvq_u16(vandq_u16(vcleq_u16(bits, limit), weight)) << row;
    }
    masks[block] = mask;
    any |= mask;
  }
  return any;
}

static int near_rows(const uint8_t *plane, size_t blocks, const doorsill_queries *queries,
                     uint64_t *masks) {
  return doorsill_one_by_one(near_one, plane, blocks, queries, masks);
}

/* 299 R + 587 G + 114 B in thousandths, / 1000 to the nearest float. 1 / 1000 is given to twice
 * the precision of a float, so only the last rounding counts; luma.c says why that is enough. */
INLINE float32x4_t weigh(uint16x4_t r, uint16x4_t g, uint16x4_t b) {
  const uint32x4_t n = vmlal_n_u16(vmlal_n_u16(vmull_n_u16(r, 299), g, 587), b, 114);
  const float32x4_t v = vcvtq_f32_u32(n);
  return vfmaq_n_f32(vmulq_n_f32(v, -0x1.a1cacp-35f), v, 0x1.0624dep-10f);
}

INLINE void weigh8(uint8x8_t red, uint8x8_t green, uint8x8_t blue, float *out) {
  const uint16x8_t r = vmovl_u8(red), g = vmovl_u8(green), b = vmovl_u8(blue);
  vst1q_f32(out, weigh(vget_low_u16(r), vget_low_u16(g), vget_low_u16(b)));
  vst1q_f32(out + 4, weigh(vget_high_u16(r), vget_high_u16(g), vget_high_u16(b)));
}

/* LD3 and LD4 part the colours: 20 instructions for 8 pixels. What is not opaque, and the end of a
 * row, takes the portable way. */
static void luma(const uint8_t *p, size_t n, uint32_t format, uint32_t ground, float *out) {
  const size_t step = doorsill_pixel_bytes(format);
  const int bgr = format == DOORSILL_BGRX || format == DOORSILL_BGRA;
  const int has_alpha = format == DOORSILL_RGBA || format == DOORSILL_BGRA;
  size_t i = 0;
  if (format == DOORSILL_RGB)
    for (; i + 8 <= n; i += 8) {
      const uint8x8x3_t v = vld3_u8(p + 3 * i);
      weigh8(v.val[0], v.val[1], v.val[2], out + i);
    }
  else if (step == 4)
    for (; i + 8 <= n; i += 8) {
      const uint8x8x4_t v = vld4_u8(p + 4 * i);
      if (has_alpha && vminv_u8(v.val[3]) < 255)
        doorsill_luma_full(p + 4 * i, 8, format, ground, out + i);
      else
        weigh8(v.val[bgr ? 2 : 0], v.val[1], v.val[bgr ? 0 : 2], out + i);
    }
  doorsill_luma_full(p + step * i, n - i, format, ground, out + i);
}

/* 4 vectors of 4, transposed: 8 shuffles. */
INLINE void turn(float32x4_t v[4]) {
  const float32x4_t a = vtrn1q_f32(v[0], v[1]), b = vtrn2q_f32(v[0], v[1]);
  const float32x4_t c = vtrn1q_f32(v[2], v[3]), d = vtrn2q_f32(v[2], v[3]);
  v[0] = vcombine_f32(vget_low_f32(a), vget_low_f32(c));
  v[1] = vcombine_f32(vget_low_f32(b), vget_low_f32(d));
  v[2] = vcombine_f32(vget_high_f32(a), vget_high_f32(c));
  v[3] = vcombine_f32(vget_high_f32(b), vget_high_f32(d));
}

/* 8 shuffles for 16 values. */
static void columns(const float *rows, size_t pitch, size_t n, float *x) {
  for (size_t i = 0; i < n; i += 4, x += 4 * DOORSILL_LANES)
    for (size_t part = 0; part < 16; part += 4) {
      float32x4_t v[4];
      UNROLL for (size_t k = 0; k < 4; k++) v[k] = vld1q_f32(rows + pitch * (part + k) + i);
      turn(v);
      UNROLL for (size_t k = 0; k < 4; k++) vst1q_f32(x + DOORSILL_LANES * k + part, v[k]);
    }
}

/* s / c for a whole c up to 512, rounded as a division: a guess, and a step from its remainder.
 * Right for all s, which test_kernels.c samples and `test_kernels all` goes through. */
INLINE float32x4_t divide(float32x4_t s, float c, float inverse) {
  const float32x4_t guess = vmulq_n_f32(s, inverse);
  return vfmaq_n_f32(guess, vfmsq_n_f32(s, guess, c), inverse);
}

INLINE float32x4_t column_lane(const doorsill_band *band, size_t column, size_t lane,
                               float32x4_t *sum, float32x4_t v) {
  float *ring = band->ring[lane] + column;
  *sum = vsubq_f32(vaddq_f32(*sum, v), vld1q_f32(ring));
  vst1q_f32(ring, v);
  return divide(*sum, band->count[lane], band->inverse[lane]);
}

/* About 18 instructions for 4 values, 4 of them shuffles; the chains of dependent sums of four
 * times four rows run side by side. */
static void box(const doorsill_band *band, size_t column, size_t n, size_t window, const float *x,
                const float *count, const float *inverse, float sum[16], float *second,
                float second_sum[16]) {
  float32x4_t s[4], t[4];
  UNROLL for (size_t part = 0; part < 4; part++) {
    s[part] = vld1q_f32(sum + 4 * part);
    t[part] = vld1q_f32(second_sum + 4 * part);
  }
  for (size_t i = 0; i < n; i += 4, column += 4, x += 64, second += 64) {
    float32x4_t c = vld1q_f32(band->sums + column);
    UNROLL for (size_t part = 0; part < 4; part++) {
      const float *in = x + 4 * part;
      float *to = second + 4 * part;
      float32x4_t v[4];
      UNROLL for (size_t k = 0; k < 4; k++) {
        s[part] = vaddq_f32(s[part], vld1q_f32(in + 16 * (k + window)));
        s[part] = vsubq_f32(s[part], vld1q_f32(in + 16 * k));
        v[k] = divide(s[part], count[i + k], inverse[i + k]);
      }
      turn(v);
      UNROLL for (size_t k = 0; k < 4; k++) v[k] =
          4 * part + k < band->rows ? column_lane(band, column, 4 * part + k, &c, v[k])
                                    : vdupq_n_f32(0);
      turn(v);
      UNROLL for (size_t k = 0; k < 4; k++) {
        t[part] = vaddq_f32(t[part], v[k]);
        t[part] = vsubq_f32(t[part], vld1q_f32(to + 16 * k));
        vst1q_f32(to + 16 * (k + window), v[k]);
        vst1q_f32(to + 16 * k, t[part]);
      }
    }
    vst1q_f32(band->sums + column, c);
  }
  UNROLL for (size_t part = 0; part < 4; part++) {
    vst1q_f32(sum + 4 * part, s[part]);
    vst1q_f32(second_sum + 4 * part, t[part]);
  }
}

const doorsill_kernels *doorsill_kernels_neon(void) {
  static const doorsill_kernels kernels = {
      "neon", near_rows, doorsill_confirm, luma, doorsill_sampled, columns, box};
  return &kernels;
}
#else
const doorsill_kernels *doorsill_kernels_neon(void) { return NULL; }
#endif
