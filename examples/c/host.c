/* A host in C: screens a binary PPM picture. cc host.c $(pkg-config --cflags --libs doorsill) */
#include <doorsill.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads "P6 width height 255" and the pixels after it. */
static uint8_t *read_ppm(const char *path, doorsill_pixels *pixels) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = NULL;
  if (file && fscanf(file, "P6 %u %u 255", &pixels->width, &pixels->height) == 2 &&
      pixels->width - 1 < DOORSILL_MAX_SIDE && pixels->height - 1 < DOORSILL_MAX_SIDE) {
    const size_t size = (size_t)3 * pixels->width * pixels->height;
    data = malloc(size);
    if (data && (fgetc(file) == EOF || fread(data, 1, size, file) != size)) {
      free(data);
      data = NULL;
    }
  }
  if (file) fclose(file);
  pixels->data = data;
  pixels->stride = (ptrdiff_t)3 * pixels->width;
  pixels->format = DOORSILL_RGB;
  return data;
}

int main(int argc, char **argv) {
  doorsill_list *list;
  doorsill_pixels pixels;
  doorsill_policy policy;
  doorsill_verdict verdict;
  if (argc != 3 || doorsill_list_load(argv[1], &list, NULL) != DOORSILL_OK) return 3;
  if (!read_ppm(argv[2], &pixels)) return 3;
  doorsill_policy_default(&policy);
  const doorsill_view view = {.pixels = &pixels};
  const size_t size = doorsill_workspace(&view, 1);
  void *workspace = malloc(size);
  if (doorsill_screen((const doorsill_list *const *)&list, 1, &view, 1, NULL, 0,
                      DOORSILL_READ_WHOLE, &policy, workspace, size, &verdict) != DOORSILL_OK)
    return 3;
  printf("%s action %u\n", doorsill_verdict_reason(&verdict), verdict.action);
  free(workspace);
  free((void *)pixels.data);
  doorsill_list_close(list);
  return (int)verdict.action;
}
