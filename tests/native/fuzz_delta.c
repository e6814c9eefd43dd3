/* Feeds the delta reader whatever the fuzzer invents, behind a header that is in order, or nothing
 * after it would ever be reached. Build: clang -fsanitize=fuzzer,address,undefined. */
#include <stdlib.h>
#include <string.h>

#include "doorsill.h"

enum { HEADER = 96, BASE = 512, RESULT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const uint8_t head[12] = {0x89, 'D', 'S', 'D', '\r', '\n', 0x1a, '\n', 1, 0, 3, 0};
  if (size < 2) return 0;
  const size_t result_size = ((size_t)data[0] | (size_t)data[1] << 8) % RESULT;
  uint8_t *delta = calloc(1, HEADER + size), *base = malloc(BASE), *result = malloc(RESULT);
  if (!delta || !base || !result) abort();
  for (size_t i = 0; i < BASE; i++) base[i] = i % 4 ? 0 : (uint8_t)(i / 8);
  memcpy(delta, head, sizeof head);
  delta[10] = data[0] % 4; /* maps */
  delta[17] = BASE >> 8;
  delta[24] = (uint8_t)result_size;
  delta[25] = (uint8_t)(result_size >> 8);
  memcpy(delta + HEADER, data + 2, size - 2);
  uint8_t *exact = realloc(result, result_size ? result_size : 1);
  const char *detail = NULL;
  const doorsill_status status =
      doorsill_delta_apply(base, BASE, delta, HEADER + size - 2, exact, result_size, &detail);
  if (status != DOORSILL_OK && (status != DOORSILL_BAD_DELTA || !detail)) abort();
  free(delta);
  free(base);
  free(exact);
  return 0;
}
