/* The nearest row of a column of 128-bit rows: what a sealed list shows of its entries. */
#include "list.h"

enum { MOST_RADIUS = 32, BITS = 128 };

typedef struct nearest {
  doorsill_hit hit;
  int found;
} nearest;

static void keep(void *context, uint32_t row, uint32_t query, uint32_t distance) {
  nearest *n = context;
  const doorsill_hit hit = {row, row, (uint16_t)query, (uint16_t)distance};
  if (n->found && n->hit.distance < distance) return;
  if (n->found && n->hit.distance == distance &&
      (n->hit.row < row || (n->hit.row == row && n->hit.query < query)))
    return;
  n->hit = hit;
  n->found = 1;
}

doorsill_status doorsill_nearest(const uint8_t *plane, uint32_t rows, const uint8_t *queries,
                                 size_t count, uint32_t radius, doorsill_hit *hit, int *found) {
  if ((rows && !plane) || (count && !queries) || count > DOORSILL_MAX_QUERIES ||
      radius > MOST_RADIUS || !hit || !found)
    return DOORSILL_BAD_ARGUMENT;
  doorsill_rows column = {0};
  column.info.rows = rows;
  column.info.width = BITS;
  column.planes[0].data = plane;
  column.planes[0].length = (uint64_t)rows * DOORSILL_PLANE_BYTES;
  nearest n = {{0}, 0};
  doorsill_scan(&column, queries, count, radius, keep, &n);
  if (n.found) *hit = n.hit;
  *found = n.found;
  return DOORSILL_OK;
}
