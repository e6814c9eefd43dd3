/* Opening a hash list: every offset, length and count is checked here, once, so that the
 * rest of the core may use the file's columns in place. native/FORMAT.md is the law. */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L /* fdopen, where a host compiles as strict C11 */
#endif

#include "list.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#if !defined(_WIN32)
#include <unistd.h>
#endif

enum {
  HEADER_BYTES = 64,
  SECTION_BYTES = 24,
  MAX_SECTIONS = 256,
  ALIGNMENT = 64,
  FORMAT_MAJOR = 1,
  REQUIRED = 1, /* section flag: a reader that does not know the kind refuses the file */
  HASHER_BYTES = 72,
  CLASS_BYTES = 16,
  TEXT_BYTES = 24,
  WITHDRAWN_BYTES = 16,
  KNOWN_LIST_FLAGS = DOORSILL_LIST_DEMO
};

enum section_kind {
  HASHERS = 1,
  PLANE = 2,
  ROW_ENTRIES = 3,
  ENTRY_CLASSES = 4,
  ENTRY_IDS = 5,
  CLASSES = 6,
  TEXTS = 7,
  TEXT_BLOB = 8,
  DIGEST_KEYS = 9,
  DIGEST_ENTRIES = 10,
  WITHDRAWN = 11
};

static const uint8_t magic[8] = {0x89, 'D', 'S', 'L', '\r', '\n', 0x1a, '\n'};
const uint8_t doorsill_digest_bytes[DOORSILL_DIGESTS] = {32, 20, 16};

/* CRC-32 as in zlib, of the header without its last field and the section table. It finds
 * accidents; against intent there is only the publisher's signature. */
static uint32_t crc32_of(uint32_t crc, const uint8_t *data, size_t size) {
  crc = ~crc;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

static doorsill_status fail(const char **detail, doorsill_status status, const char *text) {
  if (detail) *detail = text;
  return status;
}

static doorsill_status damaged(const char **detail, const char *text) {
  return fail(detail, DOORSILL_DAMAGED_LIST, text);
}

/* Where a section of this kind belongs, or NULL if the reader does not know it. */
static doorsill_section *place(doorsill_list *list, uint32_t kind, uint32_t a, uint32_t b) {
  switch (kind) {
    case PLANE:
      return a < DOORSILL_MAX_HASHERS && b < DOORSILL_MAX_PLANES ? &list->rows[a].planes[b] : NULL;
    case ROW_ENTRIES:
      return a < DOORSILL_MAX_HASHERS ? &list->rows[a].entries : NULL;
    case ENTRY_CLASSES:
      return &list->entry_classes;
    case ENTRY_IDS:
      return &list->entry_ids;
    case CLASSES:
      return &list->classes;
    case TEXTS:
      return &list->texts;
    case TEXT_BLOB:
      return &list->text_bytes;
    case DIGEST_KEYS:
      return a < DOORSILL_DIGESTS ? &list->digest_keys[a] : NULL;
    case DIGEST_ENTRIES:
      return a < DOORSILL_DIGESTS ? &list->digest_entries[a] : NULL;
    case WITHDRAWN:
      return &list->withdrawn;
    default:
      return NULL;
  }
}

/* Finds the sections; afterwards each lies inside the file and overlaps no other. */
static doorsill_status read_table(doorsill_list *list, doorsill_section *hashers,
                                  const uint8_t *data, size_t size, const char **detail) {
  const uint32_t count = doorsill_u32(data + 12);
  const uint8_t *table = data + HEADER_BYTES;
  uint64_t end = HEADER_BYTES + (uint64_t)count * SECTION_BYTES;
  for (uint32_t i = 0; i < count; i++, table += SECTION_BYTES) {
    const uint32_t kind = doorsill_u16(table), flags = doorsill_u16(table + 2);
    const uint64_t offset = doorsill_u64(table + 8), length = doorsill_u64(table + 16);
    if (flags & ~(uint32_t)REQUIRED) return damaged(detail, "a section has an unknown flag");
    if (offset % ALIGNMENT) return damaged(detail, "a section does not begin at a multiple of 64");
    if (offset < end) return damaged(detail, "sections overlap or are out of order");
    if (offset > size || length > size - offset)
      return damaged(detail, "a section reaches beyond the end of the file");
    end = offset + length;
    doorsill_section *section =
        kind == HASHERS ? hashers
                        : place(list, kind, doorsill_u16(table + 4), doorsill_u16(table + 6));
    if (!section) {
      if (kind >= HASHERS && kind <= WITHDRAWN)
        return damaged(detail, "a section has a number that the format does not have");
      if (flags & REQUIRED)
        return fail(detail, DOORSILL_NEWER_FORMAT, "a required section is of an unknown kind");
      continue;
    }
    if (section->data) return damaged(detail, "a section stands in the file twice");
    section->data = data + offset;
    section->length = length;
  }
  return DOORSILL_OK;
}

static int ends_in_nul(const uint8_t *name, size_t size) {
  return name[0] != 0 && memchr(name, 0, size) != NULL;
}

static const char *check_row_entries(const doorsill_rows *rows, uint32_t entries) {
  if (!rows->entries.data)
    return rows->info.rows <= entries ? NULL : "a hasher has more rows than there are entries";
  if (rows->entries.length != 4 * (uint64_t)rows->info.rows)
    return "a row-to-entry column has the wrong length";
  uint32_t last = 0;
  for (uint32_t row = 0; row < rows->info.rows; row++) {
    const uint32_t entry = doorsill_row_entry(rows, row);
    if (entry < last || entry >= entries) return "a row-to-entry column is out of order or range";
    last = entry;
  }
  return NULL;
}

static const char *check_hasher(doorsill_rows *rows, const uint8_t *record, uint32_t entries) {
  doorsill_hasher_info *info = &rows->info;
  if (!ends_in_nul(record, sizeof info->name)) return "a hasher's name is empty or too long";
  memcpy(info->name, record, sizeof info->name);
  memcpy(info->model, record + 24, sizeof info->model);
  info->rows = doorsill_u32(record + 56);
  info->width = (uint16_t)doorsill_u16(record + 60);
  info->limit = (uint16_t)doorsill_u16(record + 62);
  info->quality = (uint16_t)doorsill_u16(record + 64);
  info->profile = record[66];
  rows->is_pdq = strcmp(info->name, "pdq") == 0;
  if (info->width == 0 || info->width % 128 || info->width > DOORSILL_MAX_WIDTH)
    return "a hasher's width is not 128, 256, 384 or 512";
  if (rows->is_pdq && info->width != 8 * DOORSILL_PDQ_BYTES) return "a PDQ hash has 256 bits";
  if (info->limit > info->width / 4) return "a match limit is above a quarter of the width";
  if (info->quality > 100 || info->profile > DOORSILL_UNKNOWN || record[67] ||
      doorsill_u32(record + 68))
    return "a hasher's quality, profile or reserved bytes are out of range";
  for (uint32_t plane = 0; plane < DOORSILL_MAX_PLANES; plane++) {
    const doorsill_section *section = &rows->planes[plane];
    const int wanted = plane < info->width / 128u;
    if (!section->data != !wanted) return "a hasher has a plane too many or too few";
    if (wanted && section->length != (uint64_t)DOORSILL_PLANE_BYTES * info->rows)
      return "a plane's length does not fit its hasher's rows";
  }
  return check_row_entries(rows, entries);
}

static const char *check_hashers(doorsill_list *list, const doorsill_section *hashers) {
  const uint64_t count = hashers->length / HASHER_BYTES;
  if (!hashers->data || hashers->length % HASHER_BYTES || count > DOORSILL_MAX_HASHERS)
    return "the table of hashers is missing or has the wrong length";
  for (uint32_t i = 0; i < count; i++) {
    const char *wrong =
        check_hasher(&list->rows[i], hashers->data + (size_t)HASHER_BYTES * i, list->info.entries);
    if (wrong) return wrong;
  }
  for (size_t i = (size_t)count; i < DOORSILL_MAX_HASHERS; i++) {
    if (list->rows[i].entries.data) return "a row-to-entry column belongs to no hasher";
    for (int plane = 0; plane < DOORSILL_MAX_PLANES; plane++)
      if (list->rows[i].planes[plane].data) return "a plane belongs to no hasher";
  }
  list->info.hashers = (uint32_t)count;
  return NULL;
}

/* How many categories and publishers the classes speak of. */
static void count_keys(doorsill_list *list) {
  const uint8_t *record = list->classes.data;
  for (uint64_t left = list->classes.length; left; left -= CLASS_BYTES, record += CLASS_BYTES) {
    const uint32_t category = doorsill_u16(record);
    const uint64_t publishers = doorsill_u64(record + 8);
    if (category >= list->info.categories) list->info.categories = category + 1;
    while (list->info.publishers < 64 && publishers >> list->info.publishers)
      list->info.publishers++;
  }
}

static const char *check_entries(doorsill_list *list) {
  const uint64_t entries = list->info.entries;
  const uint64_t classes = list->classes.length / CLASS_BYTES;
  if (list->classes.length % CLASS_BYTES || list->entry_classes.length != 2 * entries ||
      list->entry_ids.length != DOORSILL_ID_BYTES * entries)
    return "a column of the entries is missing or has the wrong length";
  for (uint64_t i = 0; i < entries; i++) {
    const uint32_t class_ = doorsill_u16(list->entry_classes.data + 2 * i);
    if (class_ >= classes) return "an entry is of a class that the list does not have";
    const uint8_t *record = list->classes.data + (size_t)CLASS_BYTES * class_;
    list->info.test_entries += (doorsill_u16(record + 2) & DOORSILL_ENTRY_TEST) != 0;
  }
  count_keys(list);
  return NULL;
}

static const char *check_digests(doorsill_list *list) {
  for (uint32_t kind = 0; kind < DOORSILL_DIGESTS; kind++) {
    const doorsill_section *keys = &list->digest_keys[kind], *owners = &list->digest_entries[kind];
    const size_t width = doorsill_digest_bytes[kind];
    const uint64_t count = keys->length / width;
    if (keys->length % width || owners->length != 4 * count || count > UINT32_MAX)
      return "the digests and their entries differ in length";
    for (uint64_t i = 0; i < count; i++) {
      const uint32_t owner = doorsill_u32(owners->data + 4 * i);
      if (owner >= list->info.entries)
        return "a digest belongs to an entry that the list does not have";
      if (i == 0) continue;
      const int order = memcmp(keys->data + (i - 1) * width, keys->data + i * width, width);
      if (order > 0 || (order == 0 && doorsill_u32(owners->data + 4 * (i - 1)) >= owner))
        return "the digests are not sorted";
    }
    list->info.digests[kind] = (uint32_t)count;
  }
  if (list->withdrawn.length % WITHDRAWN_BYTES)
    return "the table of withdrawn entries has the wrong length";
  list->info.withdrawn = (uint32_t)(list->withdrawn.length / WITHDRAWN_BYTES);
  return NULL;
}

/* Of a file of `size` bytes the first HEADER_BYTES are enough. */
static doorsill_status check_start(const uint8_t *data, uint64_t size, const char **detail) {
  if (size < sizeof magic || memcmp(data, magic, sizeof magic) != 0)
    return fail(detail, DOORSILL_NOT_A_LIST, "it does not begin with the mark of a hash list");
  if (size < HEADER_BYTES) return damaged(detail, "the file ends inside its header");
  if (doorsill_u16(data + 8) != FORMAT_MAJOR)
    return fail(detail, DOORSILL_NEWER_FORMAT, "its format version is not 1");
  if (doorsill_u64(data + 16) != size)
    return damaged(detail, "the file is shorter or longer than its header says");
  return DOORSILL_OK;
}

static doorsill_status check_header(const uint8_t *data, size_t size, const char **detail) {
  static const uint8_t zeros[20];
  const doorsill_status status = check_start(data, size, detail);
  if (status != DOORSILL_OK) return status;
  const uint32_t sections = doorsill_u32(data + 12);
  if (sections > MAX_SECTIONS || (size - HEADER_BYTES) / SECTION_BYTES < sections)
    return damaged(detail, "the section table does not fit into the file");
  const uint32_t crc = crc32_of(crc32_of(0, data, HEADER_BYTES - 4), data + HEADER_BYTES,
                                (size_t)sections * SECTION_BYTES);
  if (crc != doorsill_u32(data + HEADER_BYTES - 4))
    return damaged(detail, "the checksum of the header and section table is wrong");
  if (memcmp(data + 40, zeros, sizeof zeros) != 0 ||
      (doorsill_u32(data + 36) & ~(uint32_t)KNOWN_LIST_FLAGS))
    return fail(detail, DOORSILL_NEWER_FORMAT, "the header uses fields that this reader lacks");
  return DOORSILL_OK;
}

static doorsill_status read_list(doorsill_list *list, const uint8_t *data, size_t size,
                                 const char **detail) {
  doorsill_section hashers = {0};
  doorsill_status status = check_header(data, size, detail);
  if (status == DOORSILL_OK) status = read_table(list, &hashers, data, size, detail);
  if (status != DOORSILL_OK) return status;
  list->info.size = size;
  list->info.epoch = doorsill_u64(data + 24);
  list->info.entries = doorsill_u32(data + 32);
  list->info.flags = doorsill_u32(data + 36);
  const char *wrong = check_hashers(list, &hashers);
  if (!wrong) wrong = check_entries(list);
  if (!wrong) wrong = check_digests(list);
  if (!wrong) wrong = doorsill_check_texts(list);
  return wrong ? damaged(detail, wrong) : DOORSILL_OK;
}

doorsill_status doorsill_list_open(const void *data, size_t size, doorsill_list **list,
                                   const char **detail) {
  if (!list || (!data && size)) return DOORSILL_BAD_ARGUMENT;
  doorsill_list *opened = calloc(1, sizeof *opened);
  if (!opened) return fail(detail, DOORSILL_NO_MEMORY, "not enough memory");
  const doorsill_status status = read_list(opened, data, size, detail);
  if (status == DOORSILL_OK)
    *list = opened;
  else
    free(opened);
  return status;
}

/* What was in it may have been a list of somebody's hashes. */
static void discard(void *data, size_t size) {
  doorsill_wipe(data, size);
  free(data);
}

/* A regular file and its size; NULL if it is none: a pipe would be waited for, a device has no end.
 */
static FILE *open_regular(const char *path, uint64_t *size) {
#if defined(_WIN32)
  struct _stat64 about;
  FILE *file = fopen(path, "rb");
  if (file && (_fstat64(_fileno(file), &about) != 0 || (about.st_mode & _S_IFMT) != _S_IFREG)) {
    fclose(file);
    return NULL;
  }
#else
  struct stat about;
  const int handle = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (handle < 0) return NULL;
  const int good = fstat(handle, &about) == 0 && S_ISREG(about.st_mode);
  FILE *file = good ? fdopen(handle, "rb") : NULL;
  if (!file) close(handle);
#endif
  if (!file) return NULL;
  setvbuf(file, NULL, _IONBF, 0); /* no part of it in a buffer that nobody wipes */
  *size = (uint64_t)about.st_size;
  return file;
}

/* All of a file; what does not begin like a list of its size is not held in memory at all. */
static doorsill_status read_file(FILE *file, uint64_t size, uint8_t **data, const char **detail) {
  static const char *const unreadable = "the file cannot be read";
  uint8_t start[HEADER_BYTES];
  const size_t begun = size < sizeof start ? (size_t)size : sizeof start;
  if (fread(start, 1, begun, file) != begun) return fail(detail, DOORSILL_NO_FILE, unreadable);
  const doorsill_status status = check_start(start, size, detail);
  if (status != DOORSILL_OK) return status;
  uint8_t *all = size <= SIZE_MAX ? malloc((size_t)size) : NULL;
  if (!all) return fail(detail, DOORSILL_NO_MEMORY, "not enough memory");
  memcpy(all, start, begun);
  const size_t rest = (size_t)size - begun;
  if (fread(all + begun, 1, rest, file) != rest) {
    discard(all, (size_t)size);
    return fail(detail, DOORSILL_NO_FILE, unreadable);
  }
  *data = all;
  return DOORSILL_OK;
}

doorsill_status doorsill_list_load(const char *path, doorsill_list **list, const char **detail) {
  if (!path || !list) return DOORSILL_BAD_ARGUMENT;
  uint64_t size = 0;
  uint8_t *data = NULL;
  FILE *file = open_regular(path, &size);
  if (!file) return fail(detail, DOORSILL_NO_FILE, "it cannot be opened, or is no regular file");
  doorsill_status status = read_file(file, size, &data, detail);
  fclose(file);
  if (status != DOORSILL_OK) return status;
  status = doorsill_list_open(data, (size_t)size, list, detail);
  if (status != DOORSILL_OK) {
    discard(data, (size_t)size);
    return status;
  }
  (*list)->owned = data;
  (*list)->owned_size = (size_t)size;
  return DOORSILL_OK;
}

void doorsill_list_close(doorsill_list *list) {
  if (!list) return;
  if (list->owned) discard(list->owned, list->owned_size);
  free(list);
}
