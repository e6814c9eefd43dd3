/* Feeds the list reader whatever the fuzzer invents. The checksum is mended first, or nothing
 * behind it would ever be reached. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "use_list.h"

static uint32_t crc32_of(const uint8_t *data, size_t size, size_t hole) {
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < size; i++) {
    if (i >= hole && i < hole + 4) continue;
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);
  if (!copy) return 0;
  memcpy(copy, data, size);
  if (size >= 64) {
    uint32_t sections = 0;
    for (int i = 3; i >= 0; i--) sections = sections << 8 | copy[12 + i];
    for (int i = 0; i < 8; i++) copy[16 + i] = (uint8_t)((uint64_t)size >> (8 * i));
    if (sections <= 256 && (size - 64) / 24 >= sections) {
      const uint32_t crc = crc32_of(copy, 64 + 24 * (size_t)sections, 60);
      for (int i = 0; i < 4; i++) copy[60 + i] = (uint8_t)(crc >> (8 * i));
    }
  }
  doorsill_list *list = NULL;
  const char *detail = NULL;
  if (doorsill_list_open(copy, size, &list, &detail) == DOORSILL_OK) {
    use_list(list);
    doorsill_list_close(list);
  } else if (!detail) {
    abort();
  }
  free(copy);
  return 0;
}
