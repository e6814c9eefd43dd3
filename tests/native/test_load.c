/* Loading a list from a file, with an eye on the memory that is taken and given back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *watched_malloc(size_t size);
static void watched_free(void *memory);
#define malloc watched_malloc
#define free watched_free
#include "list.c"
#undef malloc
#undef free

static int passed, failed;

static void claim(int holds, const char *what) {
  holds ? passed++ : failed++;
  if (!holds) printf("FAILED: %s\n", what);
}

static int is_short; /* there is no memory */
static uint8_t *taken;
static size_t taken_size, given_back, unwiped;

static void *watched_malloc(size_t size) {
  if (is_short) return NULL;
  taken_size = size;
  return taken = malloc(size);
}

static void watched_free(void *memory) {
  if (memory && memory == taken) {
    for (size_t i = 0; i < taken_size; i++) unwiped += taken[i] != 0;
    given_back++;
    taken = NULL;
  }
  free(memory);
}

/* Loads a file, expects this, and that nothing is kept or given back as it was. */
static void load(const char *path, doorsill_status expected, size_t memory, const char *what) {
  doorsill_list *list = NULL;
  const char *detail = NULL;
  taken = NULL;
  taken_size = given_back = unwiped = 0;
  const doorsill_status status = doorsill_list_load(path, &list, &detail);
  claim(status == expected && (status == DOORSILL_OK) == (list != NULL), what);
  claim(!detail == (status == DOORSILL_OK), "a refusal gives a reason");
  doorsill_list_close(list);
  claim(taken_size == memory && !taken && !unwiped && given_back == (memory > 0), what);
}

static void write_file(const char *path, const uint8_t *data, size_t size) {
  FILE *file = fopen(path, "wb");
  claim(file && fwrite(data, 1, size, file) == size && !fclose(file), path);
}

int main(int argc, char **argv) {
  char path[4096];
  snprintf(path, sizeof path, "%s/list.dsl", argc > 1 ? argv[1] : "tests/data/vectors");
  static uint8_t data[1 << 16];
  FILE *file = fopen(path, "rb");
  if (!file) {
    printf("FAILED: %s cannot be opened\n0 passed, 1 failed\n", path);
    return 1;
  }
  const size_t size = fread(data, 1, sizeof data, file);
  fclose(file);

  load(path, DOORSILL_OK, size, "a list loads, and is wiped when it is closed");
  is_short = 1;
  load(path, DOORSILL_NO_MEMORY, 0, "too little memory is called so");
  is_short = 0;
  load("/no/such/list", DOORSILL_NO_FILE, 0, "no file");
#if !defined(_WIN32)
  char folder[] = "/tmp/doorsill-load-XXXXXX";
  claim(mkdtemp(folder) != NULL, "a folder");
  snprintf(path, sizeof path, "%s/it", folder);
  data[size - 1] ^= 1, data[70] ^= 1;
  write_file(path, data, size);
  load(path, DOORSILL_DAMAGED_LIST, size, "a bent list is wiped");
  data[size - 1] ^= 1, data[70] ^= 1;
  write_file(path, data, size - 1);
  load(path, DOORSILL_DAMAGED_LIST, 0, "a list cut short takes no memory");
  write_file(path, data, 0);
  load(path, DOORSILL_NOT_A_LIST, 0, "an empty file");
  write_file(path, data, 63);
  load(path, DOORSILL_DAMAGED_LIST, 0, "a part of a header");
  claim(truncate(path, 0) == 0 && truncate(path, (off_t)1 << 40) == 0, "a file of holes");
  load(path, DOORSILL_NOT_A_LIST, 0, "a terabyte of nothing takes no memory");
  remove(path);
  alarm(20); /* ends the test if it waits */
  claim(mkfifo(path, 0600) == 0, "a pipe");
  load(path, DOORSILL_NO_FILE, 0, "a pipe is not waited for");
  remove(path);
  load(folder, DOORSILL_NO_FILE, 0, "a folder is no file");
  remove(folder);
  load("/dev/zero", DOORSILL_NO_FILE, 0, "a device is no file");
#endif
  printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
