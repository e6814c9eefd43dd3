/* Looking things up in an open list: hashers, entries, digests and texts. */
#include <string.h>

#include "list.h"

enum { CLASS_BYTES = 16, TEXT_BYTES = 24, LANGUAGE_BYTES = 8, MAX_CHARACTERS = 500 };

void doorsill_list_describe(const doorsill_list *list, doorsill_list_info *info) {
  *info = list->info;
}

doorsill_status doorsill_list_hasher(const doorsill_list *list, uint32_t index,
                                     doorsill_hasher_info *info) {
  if (!list || !info || index >= list->info.hashers) return DOORSILL_BAD_ARGUMENT;
  *info = list->rows[index].info;
  return DOORSILL_OK;
}

doorsill_status doorsill_list_entry(const doorsill_list *list, uint32_t index,
                                    doorsill_entry *entry) {
  if (!list || !entry || index >= list->info.entries) return DOORSILL_BAD_ARGUMENT;
  const uint32_t class_ = doorsill_u16(list->entry_classes.data + 2 * (size_t)index);
  const uint8_t *record = list->classes.data + (size_t)CLASS_BYTES * class_;
  entry->category = (uint16_t)doorsill_u16(record);
  entry->flags = (uint16_t)doorsill_u16(record + 2);
  entry->publishers = doorsill_u64(record + 8);
  memcpy(entry->id, list->entry_ids.data + (size_t)DOORSILL_ID_BYTES * index, DOORSILL_ID_BYTES);
  return DOORSILL_OK;
}

uint32_t doorsill_first_row(const doorsill_rows *rows, uint32_t entry) {
  uint32_t low = 0, high = rows->info.rows;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (doorsill_row_entry(rows, middle) < entry)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

uint32_t doorsill_first_digest(const doorsill_list *list, uint32_t kind, const uint8_t *key) {
  const size_t width = doorsill_digest_bytes[kind];
  uint32_t low = 0, high = list->info.digests[kind];
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (memcmp(list->digest_keys[kind].data + middle * width, key, width) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

int doorsill_is_digest(const doorsill_list *list, uint32_t kind, uint32_t row, const uint8_t *key) {
  const size_t width = doorsill_digest_bytes[kind];
  return row < list->info.digests[kind] &&
         memcmp(list->digest_keys[kind].data + row * width, key, width) == 0;
}

/* The next character of UTF-8, or 0xFFFFFFFF where there is none (overlong forms and
 * surrogates included). */
static uint32_t next_character(const uint8_t **at, const uint8_t *end) {
  static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
  const uint32_t first = *(*at)++;
  const int length = first < 0x80       ? 1
                     : first >> 5 == 6  ? 2
                     : first >> 4 == 14 ? 3
                     : first >> 3 == 30 ? 4
                                        : 0;
  if (length == 0 || end - *at < length - 1) return UINT32_MAX;
  uint32_t character = length == 1 ? first : first & (0xFFu >> (length + 1));
  for (int i = 1; i < length; i++, (*at)++) {
    if ((**at & 0xC0) != 0x80) return UINT32_MAX;
    character = character << 6 | (**at & 0x3Fu);
  }
  if (character < least[length] || character > 0x10FFFF || (character >> 11) == 0x1B)
    return UINT32_MAX;
  return character;
}

/* Controls, line and paragraph separators, and the marks that reorder a text (Unicode's
 * Bidi_Control): what could make a text read as something else than it says. */
static int is_forbidden(uint32_t character) {
  return character < 0x20 || (character >= 0x7F && character < 0xA0) || character == 0x61C ||
         character == 0x200E || character == 0x200F ||
         (character >= 0x2028 && character <= 0x202E) ||
         (character >= 0x2066 && character <= 0x2069) || character == UINT32_MAX;
}

static int is_plain(const uint8_t *at, size_t length) {
  const uint8_t *end = at + length;
  for (int characters = 0; at < end; characters++)
    if (characters == MAX_CHARACTERS || is_forbidden(next_character(&at, end))) return 0;
  return 1;
}

const char *doorsill_check_texts(const doorsill_list *list) {
  static const char https[] = "https://";
  if (list->texts.length % TEXT_BYTES) return "the table of texts has the wrong length";
  for (uint64_t i = 0; i < list->texts.length; i += TEXT_BYTES) {
    const uint8_t *record = list->texts.data + i;
    const uint32_t kind = doorsill_u16(record);
    const uint64_t offset = doorsill_u32(record + 12), length = doorsill_u32(record + 16);
    if (offset + length > list->text_bytes.length) return "a text lies outside its section";
    if (length == 0) return "a text is empty";
    const uint8_t *text = list->text_bytes.data + offset;
    if (!is_plain(text, (size_t)length))
      return "a text is too long, not UTF-8, or has control or bidi characters";
    if ((kind == DOORSILL_TEXT_HELP || kind == DOORSILL_TEXT_APPEAL) &&
        (length < sizeof https || memcmp(text, https, sizeof https - 1) != 0))
      return "a link does not begin with https://";
  }
  return NULL;
}

/* How well a text's language serves the one asked for: 3 asked, 2 English, 1 any. */
static int language_rank(const uint8_t *record, const char *language) {
  char name[LANGUAGE_BYTES + 1] = {0};
  memcpy(name, record + 4, LANGUAGE_BYTES);
  if (language && strcmp(name, language) == 0) return 3;
  return strcmp(name, "en") == 0 ? 2 : 1;
}

const char *doorsill_list_text(const doorsill_list *list, uint32_t kind, uint32_t key,
                               const char *language, size_t *length) {
  const uint8_t *best = NULL;
  int best_rank = 0;
  for (uint64_t i = 0; i < list->texts.length; i += TEXT_BYTES) {
    const uint8_t *record = list->texts.data + i;
    if (doorsill_u16(record) != kind || doorsill_u16(record + 2) != key) continue;
    const int rank = language_rank(record, language);
    if (rank > best_rank) {
      best = record;
      best_rank = rank;
    }
  }
  *length = best ? doorsill_u32(best + 16) : 0;
  return best ? (const char *)list->text_bytes.data + doorsill_u32(best + 12) : NULL;
}
