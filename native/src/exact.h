/* Included by every file that multiplies floats. A compiler may fuse a product and a sum
 * into one rounding, by default in GCC, and then hashes would differ between processors. The
 * build says -ffp-contract=off; this holds for builds that forget it. */
#ifndef DOORSILL_EXACT_H
#define DOORSILL_EXACT_H
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
#if defined(__FAST_MATH__)
#error "-ffast-math changes hashes"
#endif
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "floats must round to 32 bits at every step (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif
#endif
