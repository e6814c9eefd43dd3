/* Which kernel runs: the best that the processor has, or the one that was asked for. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The library's only variable. The kernels behind it are constant, so whoever reads an old value
 * still computes the same. */
static _Atomic(const doorsill_kernels *) chosen;

static const doorsill_kernels *best(const char *name) {
  const doorsill_kernels *const all[] = {doorsill_kernels_avx512(), doorsill_kernels_avx2(),
                                         doorsill_kernels_neon(), doorsill_kernels_portable()};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i] && (!name || strcmp(name, all[i]->name) == 0)) return all[i];
  return NULL;
}

const doorsill_kernels *doorsill_kernels_now(void) {
  const doorsill_kernels *now = atomic_load_explicit(&chosen, memory_order_acquire);
  if (now) return now;
  const doorsill_kernels *first = best(getenv("DOORSILL_KERNEL"));
  if (!first) first = best(NULL);
  /* Another thread may have been faster, and doorsill_use_kernel comes before the environment. */
  return atomic_compare_exchange_strong(&chosen, &now, first) ? first : now;
}

const char *doorsill_kernel(void) { return doorsill_kernels_now()->name; }

doorsill_status doorsill_use_kernel(const char *name) {
  const doorsill_kernels *kernels = name ? best(name) : NULL;
  if (!kernels) return DOORSILL_BAD_ARGUMENT;
  atomic_store_explicit(&chosen, kernels, memory_order_release);
  return DOORSILL_OK;
}
