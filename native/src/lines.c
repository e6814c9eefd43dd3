/* Reading the texts that a release is made of; lines.h says what each call takes. */
#include "lines.h"

#include <string.h>

int doorsill_take_until(doorsill_span *text, uint8_t end, doorsill_span *before) {
  for (size_t i = 0; i < text->size; i++) {
    if (text->at[i] != end) continue;
    *before = (doorsill_span){text->at, i};
    *text = (doorsill_span){text->at + i + 1, text->size - i - 1};
    return 1;
  }
  return 0;
}

int doorsill_take_line(doorsill_span *text, doorsill_span *line) {
  return doorsill_take_until(text, '\n', line);
}

int doorsill_take_words(doorsill_span *text, const char *expected) {
  const size_t size = strlen(expected);
  if (text->size < size || memcmp(text->at, expected, size) != 0) return 0;
  *text = (doorsill_span){text->at + size, text->size - size};
  return 1;
}

int doorsill_same(doorsill_span a, doorsill_span b) {
  return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

int doorsill_says(doorsill_span span, const char *words) {
  return doorsill_same(span, (doorsill_span){(const uint8_t *)words, strlen(words)});
}

int doorsill_number(doorsill_span span, uint64_t *value) {
  uint64_t sum = 0;
  if (span.size == 0 || (span.at[0] == '0' && span.size > 1)) return 0;
  for (size_t i = 0; i < span.size; i++) {
    if (span.at[i] < '0' || span.at[i] > '9' || sum > INT64_MAX / 10) return 0;
    sum = 10 * sum + (uint64_t)(span.at[i] - '0');
  }
  if (sum > INT64_MAX) return 0;
  *value = sum;
  return 1;
}

static int digit16(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int doorsill_hex(doorsill_span span, uint8_t *bytes, size_t count) {
  if (span.size != 2 * count) return 0;
  for (size_t i = 0; i < span.size; i++)
    if (digit16(span.at[i]) < 0) return 0;
  for (size_t i = 0; i < count; i++)
    bytes[i] = (uint8_t)(digit16(span.at[2 * i]) << 4 | digit16(span.at[2 * i + 1]));
  return 1;
}

static int digit64(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t doorsill_base64(doorsill_span span, uint8_t *bytes, size_t capacity) {
  if (span.size == 0 || span.size % 4 != 0) return 0;
  const size_t padding = (size_t)(span.at[span.size - 1] == '=') +
                         (size_t)(span.at[span.size - 1] == '=' && span.at[span.size - 2] == '=');
  const size_t count = span.size / 4 * 3 - padding;
  if (count > capacity) return 0;
  uint32_t bits = 0;
  size_t made = 0;
  for (size_t i = 0; i < span.size - padding; i++) {
    const int digit = digit64(span.at[i]);
    if (digit < 0) return 0;
    bits = bits << 6 | (uint32_t)digit;
    if (i % 4 != 0) bytes[made++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
  }
  /* With one '=' two bits of the last digit mean nothing, with two '=' four. */
  return bits & ((1u << 2 * padding) - 1) ? 0 : count;
}

/* Takes one code point off a text that is not empty; UINT32_MAX for what is not UTF-8. */
static uint32_t take_point(doorsill_span *text) {
  static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
  const uint8_t head = text->at[0];
  const size_t more = head < 0x80 ? 0 : head < 0xE0 ? 1 : head < 0xF0 ? 2 : 3;
  uint32_t point = more ? head & (0x3Fu >> more) : head;
  if ((head >= 0x80 && head < 0xC0) || head >= 0xF8 || text->size <= more) return UINT32_MAX;
  for (size_t i = 1; i <= more; i++) {
    if (text->at[i] >> 6 != 2) return UINT32_MAX;
    point = point << 6 | (text->at[i] & 0x3Fu);
  }
  if (point < least[more] || point > 0x10FFFF || point >> 11 == 0x1B) return UINT32_MAX;
  *text = (doorsill_span){text->at + more + 1, text->size - more - 1};
  return point;
}

int doorsill_is_text(doorsill_span span, int strict) {
  while (span.size) {
    const uint32_t point = take_point(&span);
    if (point == UINT32_MAX || (point < 0x20 && point != '\n')) return 0;
    if (strict && point >= 0x7F && point < 0xA0) return 0;
  }
  return 1;
}

/* Unicode's property White_Space, controls left out (texts have none). */
static int is_space(uint32_t point) {
  static const uint32_t others[] = {' ',    0x85,   0xA0,   0x1680, 0x2028,
                                    0x2029, 0x202F, 0x205F, 0x3000};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (point == others[i]) return 1;
  return point >= 0x2000 && point <= 0x200A;
}

int doorsill_is_key_name(doorsill_span span) {
  if (span.size == 0) return 0;
  while (span.size) {
    const uint32_t point = take_point(&span);
    if (point == UINT32_MAX || point == '+' || is_space(point)) return 0;
  }
  return 1;
}
