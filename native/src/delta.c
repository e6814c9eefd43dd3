/* Applying a delta: the bytes of one release and a delta in, the bytes of the next one out.
 *
 * A delta knows nothing of lists: it edits columns. That is enough to keep it small, for a list is
 * columns, and taking out one entry takes one row out of each and lowers the numbers behind it.
 * Every number is checked against base, delta and result before it is used; the work is bounded by
 * their lengths. native/FORMAT.md is the law. */
#include <string.h>

#include "list.h"

enum {
  HEADER_BYTES = 96,
  MAP_BYTES = 16,
  MAX_MAPS = 32,
  FORMAT = 1,
  MAX_WIDTH = 64,
  NARROW = 2, /* bytes of a class number, */
  WIDE = 4    /* and of an entry number */
};

enum operation { LITERAL = 0, COPY = 1, ZEROS = 2, COUNT = 3, COLUMN = 4, NUMBERS = 5 };

static const uint8_t magic[8] = {0x89, 'D', 'S', 'D', '\r', '\n', 0x1a, '\n'};

/* Which rows of a column went and which came: rows of the base and of the result, rising. */
typedef struct edits {
  const uint8_t *removed, *inserted; /* u32 each */
  uint32_t before, after, removals, insertions;
} edits;

typedef struct patch {
  const uint8_t *base;
  uint64_t base_size;
  uint64_t readable; /* bytes of the base that columns may yet be made from */
  const uint8_t *at; /* what of the delta is unread */
  uint64_t unread;
  uint8_t *out; /* where the result goes on */
  uint64_t left;
  edits maps[MAX_MAPS];
  uint32_t map_count;
} patch;

static const char *const cut_short = "the delta ends too early";
static const char *const too_long = "the delta makes more than it says";
static const char *const does_nothing = "a step of the delta does nothing";
static const char *const outside = "the delta reaches beyond its base";

/* The next n bytes of the delta; NULL if there are not so many. */
static const uint8_t *take(patch *p, uint64_t n) {
  if (n > p->unread) return NULL;
  const uint8_t *taken = p->at;
  p->at += n;
  p->unread -= n;
  return taken;
}

/* Room for the next n bytes of the result; NULL if it has not so much left. */
static uint8_t *room(patch *p, uint64_t n) {
  if (n > p->left) return NULL;
  uint8_t *made = p->out;
  p->out += n;
  p->left -= n;
  return made;
}

static const uint8_t *in_base(const patch *p, uint64_t offset, uint64_t n) {
  return offset > p->base_size || n > p->base_size - offset ? NULL : p->base + offset;
}

/* A number of 7 bits a byte, the lowest first, at most 63 bits; 0 if the delta ends before it. */
static int number(patch *p, uint64_t *value) {
  *value = 0;
  for (uint32_t shift = 0; shift < 63; shift += 7) {
    const uint8_t *byte = take(p, 1);
    if (!byte) return 0;
    *value |= (uint64_t)(*byte & 0x7f) << shift;
    if (*byte < 0x80) return 1;
  }
  return 0;
}

static int rises(const uint8_t *rows, uint32_t count, uint32_t end) {
  uint64_t least = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t row = doorsill_u32(rows + 4 * (size_t)i);
    if (row < least || row >= end) return 0;
    least = row + 1;
  }
  return 1;
}

static const char *read_map(patch *p, edits *map) {
  const uint8_t *head = take(p, MAP_BYTES);
  if (!head) return cut_short;
  map->before = doorsill_u32(head);
  map->after = doorsill_u32(head + 4);
  map->removals = doorsill_u32(head + 8);
  map->insertions = doorsill_u32(head + 12);
  map->removed = take(p, 4 * (uint64_t)map->removals);
  map->inserted = take(p, 4 * (uint64_t)map->insertions);
  if (!map->removed || !map->inserted) return cut_short;
  if ((uint64_t)map->before + map->insertions != (uint64_t)map->after + map->removals)
    return "a map's counts contradict each other";
  if (!rises(map->removed, map->removals, map->before) ||
      !rises(map->inserted, map->insertions, map->after))
    return "a map's rows are out of order or range";
  return NULL;
}

/* The row at which the next edit stands, or `end` if there is none left. */
static uint32_t next_edit(const uint8_t *rows, uint32_t at, uint32_t count, uint32_t end) {
  return at < count ? doorsill_u32(rows + 4 * (size_t)at) : end;
}

/* Rows of `width` bytes: those that stay come from `from`, new ones from `literals`. */
static void edit_column(const edits *map, size_t width, const uint8_t *from,
                        const uint8_t *literals, uint8_t *to) {
  uint32_t gone = 0, come = 0;
  for (uint32_t old = 0, made = 0; made < map->after || old < map->before;) {
    if (old < map->before && next_edit(map->removed, gone, map->removals, map->before) == old) {
      gone++;
      old++;
    } else if (next_edit(map->inserted, come, map->insertions, map->after) == made) {
      memcpy(to + width * made, literals + width * come, width);
      come++;
      made++;
    } else {
      const uint32_t until_gone = next_edit(map->removed, gone, map->removals, map->before) - old;
      const uint32_t until_come =
          next_edit(map->inserted, come, map->insertions, map->after) - made;
      const uint32_t stay = until_gone < until_come ? until_gone : until_come;
      memcpy(to + width * made, from + width * old, width * stay);
      old += stay;
      made += stay;
    }
  }
}

/* How many of the rows, each less its own index where `sink`, are at or below `value`. */
static uint32_t rank(const uint8_t *rows, uint32_t count, uint32_t value, uint32_t sink) {
  uint32_t low = 0, high = count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (doorsill_u32(rows + 4 * (size_t)middle) - sink * middle <= value)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Where a row of the base stands in the result; 0 if there is no such row or it went. */
static int moved(const edits *map, uint32_t row, uint32_t *to) {
  if (row >= map->before) return 0;
  const uint32_t gone = rank(map->removed, map->removals, row, 0);
  if (gone && doorsill_u32(map->removed + 4 * (size_t)(gone - 1)) == row) return 0;
  *to = row - gone + rank(map->inserted, map->insertions, row - gone, 1);
  return 1;
}

/* Follows the rows that the numbers of a column name; those of new rows are final. */
static const char *renumber(const edits *rows, const edits *named, uint32_t width,
                            uint8_t *column) {
  uint32_t come = 0;
  for (uint32_t row = 0; row < rows->after; row++, column += width) {
    if (next_edit(rows->inserted, come, rows->insertions, rows->after) == row) {
      come++;
      continue;
    }
    uint32_t to = 0;
    if (!moved(named, width == NARROW ? doorsill_u16(column) : doorsill_u32(column), &to))
      return "a number names a row that went";
    for (uint32_t i = 0; i < width; i++) column[i] = (uint8_t)(to >> (8 * i));
  }
  return NULL;
}

static const char *column(patch *p, int has_numbers) {
  uint64_t map = 0, named = 0, width = 0, offset = 0;
  if (!number(p, &map) || (has_numbers && !number(p, &named)) || !number(p, &width) ||
      !number(p, &offset))
    return cut_short;
  if (map >= p->map_count || named >= p->map_count) return "a column is of an unknown map";
  if (!width || width > MAX_WIDTH) return "a column is too wide or too narrow";
  const edits *rows = &p->maps[map], *values = &p->maps[named];
  if (has_numbers && width != WIDE && (width != NARROW || values->after > 1u << 16))
    return "a column of numbers is too wide or too narrow";
  const uint8_t *from = in_base(p, offset, width * rows->before);
  if (!from) return outside;
  if (!rows->after) return does_nothing;
  if (width * rows->before > p->readable) return "columns are made from more than the base";
  p->readable -= width * rows->before;
  const uint8_t *literals = take(p, width * rows->insertions);
  if (!literals) return cut_short;
  uint8_t *to = room(p, width * rows->after);
  if (!to) return too_long;
  edit_column(rows, (size_t)width, from, literals, to);
  return has_numbers ? renumber(rows, values, (uint32_t)width, to) : NULL;
}

static const char *bytes(patch *p, uint32_t operation) {
  uint64_t n = 0, offset = 0;
  if (!number(p, &n) || (operation == COPY && !number(p, &offset))) return cut_short;
  if (!n) return does_nothing;
  const uint8_t *from = p->base;
  if (operation == LITERAL && !(from = take(p, n))) return cut_short;
  if (operation == COPY && !(from = in_base(p, offset, n))) return outside;
  uint8_t *to = room(p, n);
  if (!to) return too_long;
  if (operation == ZEROS)
    memset(to, 0, (size_t)n);
  else
    memcpy(to, from, (size_t)n);
  return NULL;
}

/* Numbers that rise by one, as where row i is entry i. */
static const char *count(patch *p) {
  uint64_t n = 0, first = 0;
  if (!number(p, &n) || !number(p, &first)) return cut_short;
  if (!n) return does_nothing;
  if (first > UINT32_MAX || n - 1 > UINT32_MAX - first) return "a count leaves 32 bits";
  uint8_t *to = room(p, 4 * n);
  if (!to) return too_long;
  for (uint64_t i = 0; i < n; i++, to += 4)
    for (uint32_t byte = 0; byte < 4; byte++) to[byte] = (uint8_t)((first + i) >> (8 * byte));
  return NULL;
}

static const char *run(patch *p) {
  for (uint32_t i = 0; i < p->map_count; i++) {
    const char *wrong = read_map(p, &p->maps[i]);
    if (wrong) return wrong;
  }
  while (p->unread) {
    const uint32_t operation = *take(p, 1);
    const char *wrong = "a step of the delta is of an unknown kind";
    if (operation <= ZEROS)
      wrong = bytes(p, operation);
    else if (operation == COUNT)
      wrong = count(p);
    else if (operation <= NUMBERS)
      wrong = column(p, operation == NUMBERS);
    if (wrong) return wrong;
  }
  return p->left ? "the delta makes less than it says" : NULL;
}

static doorsill_status fail(const char **detail, doorsill_status status, const char *text) {
  if (detail) *detail = text;
  return status;
}

doorsill_status doorsill_delta_describe(const void *delta, size_t size, doorsill_delta_info *info,
                                        const char **detail) {
  if (!delta || !info) return DOORSILL_BAD_ARGUMENT;
  const uint8_t *head = delta;
  if (size < HEADER_BYTES || memcmp(head, magic, sizeof magic) != 0)
    return fail(detail, DOORSILL_BAD_DELTA, "it does not begin with the mark of a delta");
  if (doorsill_u16(head + 8) != FORMAT)
    return fail(detail, DOORSILL_NEWER_FORMAT, "the delta's format version is not 1");
  if (doorsill_u16(head + 10) > MAX_MAPS || doorsill_u32(head + 12))
    return fail(detail, DOORSILL_BAD_DELTA, "the delta has too many maps or a field that is not 0");
  info->base_size = doorsill_u64(head + 16);
  info->result_size = doorsill_u64(head + 24);
  memcpy(info->base_sha256, head + 32, sizeof info->base_sha256);
  memcpy(info->result_sha256, head + 64, sizeof info->result_sha256);
  return DOORSILL_OK;
}

doorsill_status doorsill_delta_apply(const void *base, size_t base_size, const void *delta,
                                     size_t size, void *result, size_t capacity,
                                     const char **detail) {
  doorsill_delta_info info;
  if (!base || !result) return DOORSILL_BAD_ARGUMENT;
  const doorsill_status status = doorsill_delta_describe(delta, size, &info, detail);
  if (status != DOORSILL_OK) return status;
  if (info.base_size != base_size)
    return fail(detail, DOORSILL_BAD_DELTA, "the delta is for a base of another length");
  if (info.result_size > capacity)
    return fail(detail, DOORSILL_SMALL_WORKSPACE, "the result does not fit where it shall go");
  const uint8_t *head = delta;
  patch p = {.base = base,
             .base_size = base_size,
             .readable = base_size,
             .at = head + HEADER_BYTES,
             .unread = size - HEADER_BYTES,
             .out = result,
             .left = info.result_size,
             .map_count = doorsill_u16(head + 10)};
  const char *wrong = run(&p);
  return wrong ? fail(detail, DOORSILL_BAD_DELTA, wrong) : DOORSILL_OK;
}
