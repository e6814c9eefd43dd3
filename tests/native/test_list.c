/* The list reader against a file that is cut, bent and contradicts itself.
 *
 * Every copy lies in memory of exactly its size, so that a sanitizer sees one byte too many. */
#include <stdio.h>

#include "use_list.h"

static int passed, failed;

static void claim(int holds, const char *what) {
  holds ? passed++ : failed++;
  if (!holds) printf("FAILED: %s\n", what);
}

static uint32_t crc32_of(uint32_t crc, const uint8_t *data, size_t size) {
  crc = ~crc;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

/* Opens the bytes, uses the list if it opens, and returns what the reader said. */
static doorsill_status try_list(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);
  doorsill_list *list = NULL;
  const char *detail = NULL;
  memcpy(copy, data, size);
  const doorsill_status status = doorsill_list_open(copy, size, &list, &detail);
  if (status == DOORSILL_OK) {
    use_list(list);
    doorsill_list_close(list);
  } else {
    claim(list == NULL && detail != NULL, "a refusal gives a reason and no list");
  }
  free(copy);
  return status;
}

static void seal(uint8_t *data) {
  const size_t table = 24u * (data[12] | (size_t)data[13] << 8);
  const uint32_t crc = crc32_of(crc32_of(0, data, 60), data + 64, table);
  for (int i = 0; i < 4; i++) data[60 + i] = (uint8_t)(crc >> (8 * i));
}

int main(int argc, char **argv) {
  char path[4096];
  snprintf(path, sizeof path, "%s/list.dsl", argc > 1 ? argv[1] : "tests/data/vectors");
  FILE *file = fopen(path, "rb");
  if (!file) {
    printf("FAILED: %s cannot be opened\n0 passed, 1 failed\n", path);
    return 1;
  }
  static uint8_t data[1 << 16], bent[1 << 16];
  const size_t size = fread(data, 1, sizeof data, file);
  fclose(file);

  doorsill_list *list = NULL;
  claim(doorsill_list_load(path, &list, NULL) == DOORSILL_OK, "the vector list loads");
  doorsill_list_close(list);
  claim(doorsill_list_load("/no/such/list", &list, NULL) == DOORSILL_NO_FILE, "no file, no list");
  claim(try_list(data, size) == DOORSILL_OK, "the vector list opens");
  for (size_t cut = 0; cut < size; cut++)
    if (try_list(data, cut) == DOORSILL_OK) claim(0, "a list cut short does not open");
  claim(try_list(data, size + 1) == DOORSILL_DAMAGED_LIST, "a byte too many is refused");

  const size_t table_end = 64u + 24u * data[12];
  for (size_t at = 0; at < table_end; at++) {
    for (int bit = 0; bit < 8; bit++) {
      memcpy(bent, data, size);
      bent[at] ^= (uint8_t)(1 << bit);
      if (try_list(bent, size) == DOORSILL_OK) claim(0, "a flipped bit in header or table is seen");
    }
    /* With the checksum mended, a bent field is refused or does no harm. */
    for (int value = 0; value < 256; value += 51) {
      memcpy(bent, data, size);
      bent[at] = (uint8_t)value;
      if (bent[12] == data[12] && bent[13] == 0) seal(bent);
      (void)try_list(bent, size);
    }
  }
  for (size_t at = table_end; at < size; at++) {
    memcpy(bent, data, size);
    bent[at] ^= 0xFF;
    (void)try_list(bent, size);
  }
  claim(1, "no bent list did harm");
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
