/* What C tests share: drawn numbers, and memory that ends where it is asked to. */
#ifndef DOORSILL_TEST_DRAW_H
#define DOORSILL_TEST_DRAW_H

#include <stdint.h>
#include <stdlib.h>

/* SplitMix64, https://prng.di.unimi.it/splitmix64.c, from one seed: a failure fails again. */
static inline uint64_t draw(void) {
  static uint64_t state = 7;
  uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* For the sanitizers: not one byte more. */
static inline void *exactly(size_t bytes) {
  void *p = malloc(bytes ? bytes : 1);
  if (!p) abort();
  return p;
}

#endif
