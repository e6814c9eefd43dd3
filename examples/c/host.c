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

/* The workspace for a view, to be freed. */
static void *workspace(const doorsill_view *view, size_t *size) {
  *size = doorsill_workspace(view, 1);
  return malloc(*size);
}

/* host LIST CARD PICTURE: the exit status is the action, or 3 if nothing could be checked. */
int main(int argc, char **argv) {
  doorsill_list *list;
  doorsill_pixels card_pixels, pixels;
  doorsill_policy policy;
  doorsill_verdict verdict;
  if (argc != 4 || doorsill_list_load(argv[1], &list, NULL) != DOORSILL_OK) return 3;
  const doorsill_list *const lists[] = {list};
  if (!read_ppm(argv[2], &card_pixels) || !read_ppm(argv[3], &pixels)) return 3;
  doorsill_policy_default(&policy);
  const doorsill_view card = {.pixels = &card_pixels}, view = {.pixels = &pixels};
  size_t size;
  void *scratch = workspace(&card, &size);
  doorsill_status status = doorsill_self_test(lists, 1, &card, &policy, scratch, size);
  free(scratch);
  if (status == DOORSILL_OK) {
    scratch = workspace(&view, &size);
    status = doorsill_screen(lists, 1, &view, 1, NULL, 0, DOORSILL_READ_WHOLE, &policy, scratch,
                             size, &verdict);
    free(scratch);
  }
  puts(status == DOORSILL_OK ? doorsill_verdict_reason(&verdict) : doorsill_status_text(status));
  free((void *)card_pixels.data);
  free((void *)pixels.data);
  doorsill_list_close(list);
  return status == DOORSILL_OK ? (int)verdict.action : 3;
}
